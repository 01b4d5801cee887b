// Where a new job starts: each a whole model and training, the output layer left to the task (`units` is corrected to
// what the dataset asks for).

const dense = (units, activation) => (activation ? { type: 'dense', units, activation } : { type: 'dense', units });
const adam = (learning_rate) => ({ type: 'adam', learning_rate });

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
};
