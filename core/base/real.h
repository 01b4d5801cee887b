// The core's floating-point type, chosen once for a whole build of the core.
//
// Training and prediction run in single precision; numeric checks and traces run the very same
// sources compiled again in double (BACKPROPD_DOUBLE). meson links that second build into one
// object that shows only the functions of core/train/check.h and core/train/trace.h, so both live
// in one program without sharing a symbol. Hence: nothing outside a `core` build passes a Real
// across that border; those two headers speak double.
#pragma once

#ifdef BACKPROPD_DOUBLE
typedef double Real;
#define REAL_EPSILON 2.220446049250313e-16
#define REAL_MINIMUM 2.2250738585072014e-308 // above 0 and of full precision
#else
typedef float Real;
#define REAL_EPSILON 1.1920929e-07
#define REAL_MINIMUM 1.17549435e-38
#endif
