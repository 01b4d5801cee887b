// Numeric checks in double precision, whatever precision the caller was compiled for.
//
// These functions exist only in the core's double build, which is linked in as one object that
// shows nothing else (see core/base/real.h). So nothing here mentions Real; archives are opened by
// their path.
//
// Relative error is per tensor: max|a − n| / max(max|a|, max|n|, 10⁻³ · the net's largest
// gradient), a backprop's and n the central difference (f(w+h) − f(w−h)) / 2h: a true zero counts
// as equal.
#pragma once
#include "core/base/issues.h"
#include "core/base/value.h"

// Gradient-checks a job on rows of its dataset: every element of every weight, up to a bound per
// tensor (then its largest gradient and a seeded sample). Writes {"passed", "max_relative_error", "weights": {layer:
// {weight: {"max_relative_error"}}}} to `out`.
int check_job(Value spec, const char *dataset_path, Issues *issues, const ValueWriter *out,
              double *ret_max_relative_error);
