// Decimal numbers in a text → the nearest double, without a locale and without a NUL behind them.
//
// Up to 19 digits with a small power of ten need one multiplication or division that is exact (W. D. Clinger, "How to read
// floating point numbers accurately", PLDI 1990); the rest goes through strtod. A float made from the double is rounded
// twice, as everywhere where text is read as double first.
#pragma once
#include <stddef.h>

// The number of RFC 8259 that stands at `at` (at < end); *ret_end is behind it. What follows it is the caller's to judge.
// ERR_INVALID: no number stands there; *ret_end is where the grammar breaks. ERR_TOO_LARGE: it is beyond the range of
// double; *ret_end is behind it. ERR_NO_MEMORY (only a number of more than 100 characters needs memory).
int number_read(const char *at, const char *end, const char **ret_end, double *ret_number);
// The same answers without the number, which most numbers need not be converted for.
int number_check(const char *at, const char *end, const char **ret_end);
// Over numbers that have a comma behind them: over as many from *at (to which it goes on) as have up to 18 digits and no
// exponent, as nearly all in an array do; a blank behind the comma too. Which number it stops at, and why, is for number_check.
// How many they were.
size_t numbers_check(const char **at, const char *end);
// The same, at most `most`, each rounded twice as above into the next of ret_numbers [most].
size_t numbers_read(const char **at, const char *end, size_t most, float *ret_numbers);

// All of `text` as a number, as spreadsheets write them: blanks around it, a plus, leading zeros, ".5" and "5." are allowed too.
// ERR_INVALID, ERR_TOO_LARGE, ERR_NO_MEMORY.
int number_read_cell(const char *text, size_t length, double *ret_number);
