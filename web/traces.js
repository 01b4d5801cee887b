// Where a trace starts: small nets, each for one thing to see. Titles and texts are translated where they are shown.
const dense = (units, activation) => ({ type: 'dense', units, activation });
const sgd = (learning_rate) => ({ type: 'sgd', learning_rate });

export const traces = {
  hand: {
    title: 'By hand: two inputs, two hidden units, two outputs',
    about: 'The net that most textbooks work by hand. Follow one row forward to the loss, back to every weight, and into the update.',
    body: {
      model: { layers: [dense(2, 'sigmoid'), dense(2, 'sigmoid')] },
      loss: 'mse',
      inputs: [[0.05, 0.1]],
      targets: [[0.01, 0.99]],
      optimizer: sgd(0.5),
      weights: {
        dense_1: { kernel: [[0.15, 0.25], [0.2, 0.3]], bias: [0.35, 0.35] },
        dense_2: { kernel: [[0.4, 0.5], [0.45, 0.55]], bias: [0.6, 0.6] },
      },
    },
  },
  xor: {
    title: 'Exclusive or: four rows at once',
    about: 'What no single layer can learn. The gradient of a weight is the sum over the four rows.',
    body: {
      model: { layers: [dense(2, 'tanh'), dense(1, 'linear')] },
      loss: 'binary_cross_entropy',
      inputs: [[0, 0], [0, 1], [1, 0], [1, 1]],
      targets: [[0], [1], [1], [0]],
      optimizer: sgd(0.5),
      seed: 3,
    },
  },
  classes: {
    title: 'Three classes: softmax and cross-entropy',
    about: 'The error of each output is its probability minus what was wanted: softmax and logarithm cancel.',
    body: {
      model: { layers: [dense(3, 'relu'), dense(3, 'linear')] },
      loss: 'cross_entropy',
      inputs: [[1, -0.5]],
      targets: [2],
      optimizer: sgd(0.1),
      seed: 1,
    },
  },
  dead: {
    title: 'A dead unit',
    about: 'The second hidden unit sums to less than zero: its output is 0, and so are all gradients of its weights. It cannot learn from this row.',
    body: {
      model: { layers: [dense(2, 'relu'), dense(1, 'linear')] },
      loss: 'mse',
      inputs: [[1, 2]],
      targets: [[1]],
      optimizer: sgd(0.1),
      weights: {
        dense_1: { kernel: [[0.5, 0.4], [0.25, -0.3]], bias: [0, -2] },
        dense_2: { kernel: [[0.7], [0.9]], bias: [0.1] },
      },
    },
  },
  vanishing: {
    title: 'A vanishing gradient: six sigmoid layers',
    about: 'Each layer multiplies the error by its weight and by at most a quarter. Step back through them and watch it shrink.',
    body: {
      model: { layers: [1, 2, 3, 4, 5, 6].map(() => dense(1, 'sigmoid')) },
      loss: 'mse',
      inputs: [[1]],
      targets: [[0]],
      optimizer: sgd(0.5),
      seed: 2,
    },
  },
  recurrent: {
    title: 'A recurrent net over three steps',
    about: 'The same weights at each step in time: their gradients are summed over the steps.',
    body: {
      model: { layers: [{ type: 'rnn', units: 2 }, dense(1, 'linear')] },
      loss: 'mse',
      inputs: [[[0.5], [-1], [0.25]]],
      targets: [[0.75]],
      optimizer: sgd(0.1),
      seed: 1,
    },
  },
};
