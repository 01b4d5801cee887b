// Where a new job starts: each a whole model and training, the output layer left to the task (`units` is corrected to
// what the dataset asks for).

const dense = (units, activation) => (activation ? { type: 'dense', units, activation } : { type: 'dense', units });
const adam = (learning_rate) => ({ type: 'adam', learning_rate });

const conv = (filters, more) => ({ type: 'conv2d', filters, kernel_size: 3, padding: 'same', activation: 'relu', ...more });
const usual = (epochs, batch_size, learning_rate) => ({ epochs, batch_size, seed: 1, optimizer: adam(learning_rate), validation_split: 0.2 });
const block = { type: 'transformer_block', heads: 4 };

/** `needs` says which data a template is for, where a table of numbers will not do. */
export const templates = {
  'Small MLP': {
    model: { layers: [dense(16, 'relu'), dense(3)] },
    training: { epochs: 50, batch_size: 16, seed: 1, optimizer: adam(0.01), validation_split: 0.2 },
  },
  'MLP with batch norm and dropout': {
    model: {
      layers: [
        dense(128),
        { type: 'batch_norm' },
        { type: 'activation', function: 'relu' },
        { type: 'dropout', rate: 0.2 },
        dense(64, 'relu'),
        dense(3),
      ],
    },
    training: {
      epochs: 60,
      batch_size: 32,
      seed: 1,
      optimizer: { type: 'adamw', learning_rate: 0.002, weight_decay: 0.01 },
      schedule: { type: 'cosine' },
      validation_split: 0.2,
    },
  },
  'Residual MLP': {
    model: {
      layers: [
        dense(32, 'relu'),
        { type: 'residual', layers: [{ type: 'layer_norm' }, dense(32, 'relu'), dense(32)] },
        { type: 'residual', layers: [{ type: 'layer_norm' }, dense(32, 'relu'), dense(32)] },
        dense(3),
      ],
    },
    training: { epochs: 50, batch_size: 16, seed: 1, optimizer: adam(0.003), validation_split: 0.2 },
  },
  'Deep sigmoid stack: gradients that vanish': {
    model: { layers: [...Array.from({ length: 10 }, () => dense(16, 'sigmoid')), dense(3)] },
    training: {
      epochs: 50,
      batch_size: 16,
      seed: 1,
      optimizer: { type: 'sgd', learning_rate: 0.1 },
      validation_split: 0.2,
    },
  },
  'Learning rate far too high: a run that diverges': {
    model: { layers: [dense(32, 'relu'), dense(32, 'relu'), dense(3)] },
    training: {
      epochs: 50,
      batch_size: 16,
      seed: 1,
      optimizer: { type: 'sgd', learning_rate: 1000 },
      validation_split: 0.2,
    },
  },
  'Self-normalising MLP (SELU)': {
    model: { layers: [...Array.from({ length: 6 }, () => ({ ...dense(32, 'selu'), kernel_init: 'lecun_normal' })), dense(3)] },
    training: usual(60, 32, 0.002),
  },
  'Autoencoder-like bottleneck': {
    model: { layers: [dense(32, 'relu'), dense(2, 'linear'), dense(32, 'relu'), dense(3)] },
    training: usual(80, 16, 0.005),
  },
  'Two branches, joined': {
    model: {
      layers: [
        { ...dense(16, 'relu'), name: 'one', inputs: ['input'] },
        { ...dense(16, 'tanh'), name: 'other', inputs: ['input'] },
        { type: 'concat', inputs: ['one', 'other'] },
        dense(3),
      ],
    },
    training: usual(50, 16, 0.005),
  },
  'Convolutional net (LeNet-like)': {
    needs: 'images',
    model: {
      layers: [conv(16), { type: 'max_pool2d' }, conv(32), { type: 'max_pool2d' }, { type: 'flatten' }, dense(64, 'relu'), { type: 'dropout', rate: 0.3 }, dense(3)],
    },
    training: usual(10, 64, 0.001),
  },
  'Residual convolutional net': {
    needs: 'images',
    model: {
      layers: [
        conv(16),
        { type: 'residual', layers: [conv(16, { activation: 'linear' }), { type: 'batch_norm' }, { type: 'activation', function: 'relu' }, conv(16, { activation: 'linear' })] },
        { type: 'residual', layers: [conv(32, { strides: 2, activation: 'linear' }), { type: 'batch_norm' }, { type: 'activation', function: 'relu' }, conv(32, { activation: 'linear' })] },
        { type: 'global_avg_pool' },
        dense(3),
      ],
    },
    training: { ...usual(10, 64, 0.002), augment: ['shift'] },
  },
  'One-dimensional convolutions': {
    needs: 'series',
    model: {
      layers: [
        { type: 'conv1d', filters: 32, kernel_size: 5, padding: 'same', activation: 'relu' },
        { type: 'max_pool1d' },
        { type: 'conv1d', filters: 32, kernel_size: 3, padding: 'same', activation: 'relu' },
        { type: 'global_avg_pool' },
        dense(1),
      ],
    },
    training: usual(30, 32, 0.001),
  },
  'Recurrent net': { needs: 'series', model: { layers: [{ type: 'rnn', units: 32 }, dense(1)] }, training: { ...usual(30, 32, 0.001), clip_norm: 1 } },
  LSTM: { needs: 'series', model: { layers: [{ type: 'lstm', units: 32 }, dense(1)] }, training: { ...usual(30, 32, 0.003), clip_norm: 1 } },
  'GRU over texts': {
    needs: 'texts',
    model: { layers: [{ type: 'embedding', units: 32 }, { type: 'gru', units: 32, bidirectional: true }, dense(2)] },
    training: { ...usual(10, 32, 0.002), clip_norm: 1 },
  },
  'Bag of words': {
    needs: 'texts',
    model: { layers: [{ type: 'embedding', units: 32 }, { type: 'global_avg_pool' }, dense(2)] },
    training: usual(20, 32, 0.005),
  },
  'Transformer over texts': {
    needs: 'texts',
    model: { layers: [{ type: 'embedding', units: 32 }, { type: 'positional_embedding' }, block, { type: 'global_avg_pool' }, dense(2)] },
    training: { ...usual(10, 32, 0.001), schedule: { type: 'cosine', warmup_steps: 50 } },
  },
  'Language model: GRU': {
    needs: 'a corpus',
    model: { layers: [{ type: 'embedding', units: 32 }, { type: 'gru', units: 96, return_sequences: true }, dense(64)] },
    training: { epochs: 5, batch_size: 32, sequence_length: 64, seed: 1, clip_norm: 1, optimizer: adam(0.003) },
  },
  'Language model: small GPT': {
    needs: 'a corpus',
    model: {
      layers: [
        { type: 'embedding', units: 64 },
        { type: 'positional_embedding' },
        { ...block, causal: true },
        { ...block, causal: true },
        { type: 'layer_norm' },
        dense(64),
      ],
    },
    training: { epochs: 5, batch_size: 32, sequence_length: 64, seed: 1, clip_norm: 1, optimizer: { type: 'adamw', learning_rate: 0.001 }, schedule: { type: 'cosine', warmup_steps: 100 } },
  },
  ...Object.fromEntries(
    [
      ['GCN', { type: 'gcn_conv' }],
      ['GraphSAGE', { type: 'sage_conv' }],
      ['GAT', { type: 'gat_conv' }],
      ['GIN', { type: 'gin_conv' }],
    ].map(([name, layer]) => [
      `Graph net: ${name}`,
      {
        needs: 'a graph',
        model: { layers: [{ ...layer, units: 16, activation: 'relu' }, { type: 'dropout', rate: 0.5 }, { ...layer, units: 3 }] },
        training: { epochs: 200, seed: 1, optimizer: { type: 'adam', learning_rate: 0.01, weight_decay: 0.0005 } },
      },
    ]),
  ),
};

/** How wide the output must be for a dataset; null where that is not known. */
export function outputWidth(dataset) {
  if (dataset?.classes?.length) return dataset.classes.length;
  if (dataset?.profile?.tokens && dataset.task === 'language_model') return dataset.profile.tokens.vocabulary;
  if (dataset?.task === 'regression') return (dataset.target_shape ?? []).reduce((product, n) => product * n, 1);
  return null;
}

/** The first template for data of this kind. */
export function likely(dataset) {
  const rank = dataset?.input_shape?.length;
  const kind = dataset?.task === 'language_model' ? 'a corpus' : { 2: 'series', 3: 'images' }[rank];
  return Object.keys(templates).find((name) => templates[name].needs === kind);
}

/** {model, training} of a template, its output as wide as the dataset asks for. */
export function fitted(name, dataset) {
  const { model, training } = structuredClone(templates[name]);
  const width = outputWidth(dataset);
  if (width) model.layers.at(-1).units = width;
  return { model, training };
}
