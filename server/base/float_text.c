// A float is m / 2^s with 24 bits of m, so m · 10^k is exact in 128 bits for all k up to 31, and so are
// its rounding to a whole number of digits and the question whether these digits are nearer to this
// float than to any other. Numbers outside that range, which are rare, go through printf and strtof.
#include "server/base/float_text.h"
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 Wide;

enum {
    MANTISSA_BITS = 24,
    PRECISION_MIN = 6,
    PRECISION_MAX = 9, // nine digits tell all floats apart
    SCALE_MAX = 31,    // 2^24 · 10^31 < 2^127
    FIXED_MIN = -4,    // the least power of ten that %g writes without an exponent
};

static const uint32_t powers_of_ten[] = {1,      10,      100,      1000,      10000,
                                         100000, 1000000, 10000000, 100000000, 1000000000};

typedef struct Digits {
    uint32_t value; // [10^(precision - 1), 10^precision)
    int precision;
    int exponent; // of ten, of the first digit
} Digits;

static Wide power_of_ten(int exponent) {
    Wide power = powers_of_ten[exponent % 9];
    for (; exponent >= 9; exponent -= 9) {
        power *= powers_of_ten[9];
    }
    return power;
}

// The number mantissa / 2^shift to `precision` digits, as printf rounds: to the nearest, to the even one of
// two. `exponent` is of its first digit before rounding. True where the digits read back.
static bool digits_round(uint32_t mantissa, int shift, int precision, int exponent,
                         Digits *ret_digits) {
    Wide power = power_of_ten(precision - 1 - exponent);
    Wide scaled = mantissa * power;
    Wide rest = scaled & (((Wide)1 << shift) - 1), half = (Wide)1 << (shift - 1);
    uint32_t value = (uint32_t)(scaled >> shift);
    bool up = rest > half || (rest == half && (value & 1) != 0);
    Wide error = up ? ((Wide)1 << shift) - rest : rest;
    // Between two floats lies power in this scale, but half of it below a power of two.
    bool narrow = !up && mantissa == (uint32_t)1 << (MANTISSA_BITS - 1);
    Wide reach = error * (narrow ? 4 : 2);
    *ret_digits = (Digits){value + up, precision, exponent};
    if (ret_digits->value == powers_of_ten[precision]) {
        ret_digits->value /= 10;
        ret_digits->exponent++;
    }
    return reach < power || (reach == power && (mantissa & 1) == 0);
}

// As %g writes them.
static size_t digits_write(Digits digits, bool negative, char *text) {
    char figures[PRECISION_MAX];
    char *at = text;
    int count = digits.precision;
    int left = count;
    do {
        figures[--left] = (char)('0' + digits.value % 10);
        digits.value /= 10;
    } while (left > 0);
    while (figures[count - 1] == '0') {
        count--;
    }
    if (negative) {
        *at++ = '-';
    }
    bool fixed = digits.exponent >= FIXED_MIN && digits.exponent < digits.precision;
    int whole =
        fixed ? digits.exponent + 1 : 1; // figures before the point; 0 or less: zeros behind it
    if (whole <= 0) {
        memcpy(at, "0.000", 5);
        at += 2 - whole;
    }
    for (int i = 0; i < count || i < whole; i++) {
        if (i == whole && whole > 0) {
            *at++ = '.';
        }
        *at++ = figures[i];
    }
    if (!fixed) {
        at += snprintf(at, 8, "e%+03d", digits.exponent);
    }
    *at = '\0';
    return (size_t)(at - text);
}

static size_t write_slowly(float number, char text[FLOAT_TEXT]) {
    for (int precision = PRECISION_MIN; precision <= PRECISION_MAX; precision++) {
        snprintf(text, FLOAT_TEXT, "%.*g", precision, (double)number);
        if (strtof(text, NULL) == number) {
            break;
        }
    }
    return strlen(text);
}

size_t float_write(float number, char text[FLOAT_TEXT]) {
    float size = fabsf(number);
    // Where the mantissa has all its bits some are behind the point, and every scale is one of 0 to 31.
    if (!(size >= 1e-22f && size < 1e6f)) {
        return write_slowly(number, text);
    }
    int binary;
    uint32_t mantissa = (uint32_t)ldexpf(frexpf(size, &binary), MANTISSA_BITS);
    int shift = MANTISSA_BITS - binary;
    int exponent = (int)floor(log10((double)size));
    Digits digits = {0};
    for (int precision = PRECISION_MIN; precision <= PRECISION_MAX; precision++) {
        if (digits_round(mantissa, shift, precision, exponent, &digits)) {
            break;
        }
    }
    return digits_write(digits, number < 0, text);
}
