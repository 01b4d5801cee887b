// One pass collects up to 19 significant digits as an integer and the power of ten; then the fast
// path or strtod decides.
#include "server/json/numbers.h"
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

enum {
    DIGITS_MAX = 19,       // fit 64 bits whatever they are
    EXPONENT_MAX = 100000, // beyond every double; further digits of an exponent change nothing
    LITERAL_ON_STACK = 100,
    SURELY_FINITE = 308, // a number below 10^308 is no infinity
    PLAIN = 19,          // with its point: no more than 18 digits
    POWER_MAX = 22,      // 10^22 is the greatest power of ten that is exact in a double
};

static const double powers_of_ten[POWER_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

typedef struct Decimal {
    uint64_t digits;  // the first significant digits as an integer
    int count;        // of them
    int64_t exponent; // the number is digits × 10^exponent, if it has no digits beyond
    bool truncated;   // non-zero digits were left out
    bool negative;
} Decimal;

static inline bool is_digit(const char *at, const char *end) {
    return at < end && *at >= '0' && *at <= '9';
}

static inline void take_digit(Decimal *decimal, char c, bool fraction) {
    if (decimal->count < DIGITS_MAX) {
        decimal->digits = decimal->digits * 10 + (uint64_t)(c - '0');
        decimal->count += decimal->digits != 0; // leading zeros carry nothing
        decimal->exponent -= fraction;
    } else {
        decimal->truncated |= c != '0';
        decimal->exponent += !fraction;
    }
}

// strtod on a copy, since nothing promises that a non-digit follows the text.
static int convert_slowly(const char *text, size_t length, double *ret_number) {
    char on_stack[LITERAL_ON_STACK + 1];
    char *copy = on_stack;
    AUTO_FREE char *on_heap = NULL;
    if (length > LITERAL_ON_STACK) {
        on_heap = memory_array(length + 1, 1);
        if (on_heap == NULL) {
            return ERR_NO_MEMORY;
        }
        copy = on_heap;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    double number = strtod(copy, NULL);
    if (isinf(number)) {
        return ERR_TOO_LARGE;
    }
    *ret_number = number;
    return OK;
}

static int convert(const Decimal *decimal, const char *text, size_t length, double *ret_number) {
    if (!decimal->truncated && decimal->digits <= (uint64_t)1 << 53 &&
        decimal->exponent >= -POWER_MAX && decimal->exponent <= POWER_MAX) {
        double number = (double)decimal->digits;
        number = decimal->exponent < 0 ? number / powers_of_ten[-decimal->exponent]
                                       : number * powers_of_ten[decimal->exponent];
        *ret_number = decimal->negative ? -number : number;
        return OK;
    }
    return convert_slowly(text, length, ret_number);
}

// A number of at most PLAIN digits without an exponent, as nearly all are: the integer of its digits, and how many of them
// stand behind the point. Where it ends; NULL: it is no such number, or none.
static inline const char *read_plain(const char *at, const char *end, uint64_t *ret_digits,
                                     int *ret_places) {
    const char *whole = at, *point = NULL;
    uint64_t digits = 0;
    for (; is_digit(at, end); at++)
        digits = digits * 10 + (uint64_t)(*at - '0');
    if (at == whole || (*whole == '0' && at > whole + 1))
        return NULL;
    if (at < end && *at == '.') {
        point = ++at;
        for (; is_digit(at, end); at++)
            digits = digits * 10 + (uint64_t)(*at - '0');
    }
    if (point == at || at - whole > PLAIN || (at < end && (*at == 'e' || *at == 'E')))
        return NULL;
    *ret_digits = digits;
    *ret_places = point != NULL ? (int)(at - point) : 0;
    return at;
}

// Grammar of all: [sign] digits [. digits] [e [sign] digits]; `loose` is number_read_cell's.
static inline int parse(const char *at, const char *end, bool loose, const char **ret_end,
                        Decimal *ret_decimal) {
    Decimal decimal = {0};
    if (at < end && (*at == '-' || (loose && *at == '+'))) {
        decimal.negative = *at == '-';
        at++;
    }
    const char *whole = at;
    if (!loose && at < end && *at == '0') {
        at++; // nothing but a point or an exponent may follow a leading zero
        if (is_digit(at, end)) {
            *ret_end = at;
            return ERR_INVALID;
        }
    } else {
        for (; is_digit(at, end); at++) {
            take_digit(&decimal, *at, false);
        }
    }
    bool has_digits = at > whole;
    if (!has_digits && !loose) {
        *ret_end = at;
        return ERR_INVALID;
    }
    if (at < end && *at == '.') {
        const char *fraction = ++at;
        for (; is_digit(at, end); at++) {
            take_digit(&decimal, *at, true);
        }
        if (at == fraction && !(loose && has_digits)) {
            *ret_end = at;
            return ERR_INVALID;
        }
        has_digits = true;
    }
    if (!has_digits) {
        *ret_end = at;
        return ERR_INVALID;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        bool negative = at < end && *at == '-';
        if (at < end && (*at == '-' || *at == '+')) {
            at++;
        }
        if (!is_digit(at, end)) {
            *ret_end = at;
            return ERR_INVALID;
        }
        int64_t exponent = 0;
        for (; is_digit(at, end); at++) {
            if (exponent < EXPONENT_MAX) {
                exponent = exponent * 10 + (*at - '0');
            }
        }
        decimal.exponent += negative ? -exponent : exponent;
    }
    *ret_end = at;
    *ret_decimal = decimal;
    return OK;
}

static inline int read(const char *start, const char *end, bool loose, const char **ret_end,
                       double *ret_number) {
    Decimal decimal;
    int result = parse(start, end, loose, ret_end, &decimal);
    return result != OK ? result : convert(&decimal, start, (size_t)(*ret_end - start), ret_number);
}

int number_read(const char *at, const char *end, const char **ret_end, double *ret_number) {
    bool negative = at < end && *at == '-';
    uint64_t digits;
    int places;
    const char *stop = read_plain(at + negative, end, &digits, &places);
    if (stop != NULL && digits <= (uint64_t)1 << 53) {
        double number = (double)digits / powers_of_ten[places];
        *ret_end = stop;
        *ret_number = negative ? -number : number;
        return OK;
    }
    return read(at, end, false, ret_end, ret_number);
}

int number_check(const char *at, const char *end, const char **ret_end) {
    uint64_t digits;
    int places;
    const char *stop = read_plain(at + (at < end && *at == '-'), end, &digits, &places);
    if (stop != NULL) {
        *ret_end = stop;
        return OK;
    }
    Decimal decimal;
    double number;
    int result = parse(at, end, false, ret_end, &decimal);
    if (result != OK || decimal.count + decimal.exponent <= SURELY_FINITE) {
        return result;
    }
    return convert(&decimal, at, (size_t)(*ret_end - at), &number);
}

int number_read_cell(const char *text, size_t length, double *ret_number) {
    const char *end = text + length;
    while (text < end && (*text == ' ' || *text == '\t')) {
        text++;
    }
    while (end > text && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    const char *stop;
    double number;
    int result = read(text, end, true, &stop, &number);
    if (result == OK && stop != end) {
        return ERR_INVALID;
    }
    if (result == OK) {
        *ret_number = number;
    }
    return result;
}
