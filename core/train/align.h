// Makes a dataset speak as the one that a model was trained on. For evaluation.
//
// Classes and tokens are the same where their names are, whatever their numbers; the dataset's task becomes the model's. What
// cannot be brought to fit is an issue at "/dataset", in words of both.
#pragma once
#include "core/base/issues.h"
#include "core/train/dataset.h"

// `places` as in EvaluationOptions; kept by the dataset. ERR_INVALID with issues, ERR_DAMAGED (the model), ERR_NO_MEMORY.
int dataset_align(Dataset *dataset, const Archive *model, const Task *task, const int32_t *places,
                  Issues *issues);

// For forms of tokens: fills dataset->token_ids. A token without an id of the model is its unknown one, or an issue.
int align_tokens(Dataset *dataset, const Archive *model, Issues *issues);
