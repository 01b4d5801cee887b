// What a job is, as the rules need it: words of the spec, sizes, and what was seen of its data. Filled by core/train.
#pragma once
#include "core/model/model.h"

// What a look at the data tells, in the unit in which the net gets it. NAN where it was not looked at.
typedef struct Survey {
    int64_t rows, judged; // training rows looked at, and rows that the reference was judged on
    // The answer that needs no inputs (the most frequent class, the mean), as a metric and as the job's loss, and what plain
    // methods reach from the same inputs (nearest neighbours, class means, least squares, word or pair counts): at least
    // that can be learned. Metric: accuracy, R², or minus the loss of a language model.
    double constant_metric, constant_loss, reference_metric,
        reference_error;      // error: one standard error of it
    const char *reference;    // the method's name
    double input_scale;       // greatest rms of a feature …
    double input_scale_least; // … and the least, of those that vary
    double input_offset;      // greatest |mean| / std of a feature
    double target_mean, target_std, target_least, target_greatest;
    double class_least,
        class_most;    // share of the rarest and the most frequent class in the training rows
    double duplicates; // share of training rows whose inputs another one has too
    double distinct;   // different rows among the training rows, as a share of them
    double leaked;     // share of validation rows whose inputs and target a training row has too
    int64_t telling_feature; // the feature that alone tells the target; −1: none
    double absurd;           // share of rows whose neighbours all agree on another class
    double absurd_rows[8];   // numbers of the first such rows in the dataset
    int absurd_count;
    double
        shift; // greatest difference of a feature's mean, training to validation, in its deviations
    int64_t shift_feature; // of that one
    double class_shift;    // greatest difference of a class's share
} Survey;

typedef struct Facts {
    Value spec; // the job's object: what remedies are patches of
    const Task *task;
    const char *loss;
    double huber_delta, label_smoothing,
        class_weight_ratio; // greatest class weight : least, 1 without; NAN: not of this loss
    const char *optimizer;
    bool adaptive;  // its step hardly depends on the gradients' size
    bool decoupled; // its weight decay does not go through the gradients
    double learning_rate, momentum, weight_decay;
    const char *schedule;
    int64_t warmup_steps;
    double clip_norm, clip_value; // NAN: none
    int64_t batch_rows, train_rows, validation_rows, steps, epochs, steps_per_epoch;
    bool standardized; // inputs and targets, or pixels, are scaled
    bool stops_early, restores_best, augmented, fine_tunes, phased;
    int64_t seed;
    double
        rare_recall; // share of the rarest class's validation rows told rightly at the end; NAN: not known
    Survey survey;
} Facts;
