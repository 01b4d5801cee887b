// Plain numbers, as nearly all are, are read eight digits at a time (L. Lamport, "Multiple byte processing with full-word
// instructions", CACM 1975). Of any other, one pass collects up to 19 significant digits as an integer and the power of ten; then
// one multiplication or strtod decides.
#include "server/json/numbers.h"
#include <endian.h>
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
    PLAIN = 18,          // digits that fit in any case, with some to spare
    POWER_MAX = 22,      // 10^22 is the greatest power of ten that is exact in a double
};

static const double powers_of_ten[POWER_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static const uint64_t small_powers[] = {1,      10,      100,      1000,     10000,
                                        100000, 1000000, 10000000, 100000000};

static const double signs[] = {1, -1}; // to multiply by: nobody guesses which

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

// The digits at `at`, eight at a time where that many bytes stand there: how many, and *digits as if they followed its own.
// Beyond PLAIN of them it means nothing.
static inline size_t read_digits(const char *at, const char *end, uint64_t *digits) {
    const char *start = at;
    while (end - at >= 8) {
        uint64_t bytes;
        memcpy(&bytes, at, sizeof bytes);
        bytes = le64toh(bytes) ^ 0x3030303030303030; // of a digit its value; above 9, what is none
        uint64_t others = (bytes | (bytes + 0x0606060606060606)) & 0xF0F0F0F0F0F0F0F0;
        int count = others != 0 ? __builtin_ctzll(others) / 8 : 8;
        if (count == 0)
            return (size_t)(at - start);
        bytes <<= 64 - 8 * count; // so that zeros lead; then pairs, fours and eight are joined
        bytes = bytes * 10 + (bytes >> 8);
        bytes = (bytes & 0x000000FF000000FF) * (100 + ((uint64_t)1000000 << 32)) +
                (bytes >> 16 & 0x000000FF000000FF) * (1 + ((uint64_t)10000 << 32));
        *digits = *digits * small_powers[count] + (bytes >> 32);
        at += count;
        if (count < 8)
            return (size_t)(at - start);
    }
    for (; is_digit(at, end); at++)
        *digits = *digits * 10 + (uint64_t)(*at - '0');
    return (size_t)(at - start);
}

// A number of at most PLAIN digits without an exponent, as nearly all are: the integer of its digits, and how many of them
// stand behind the point. Where it ends; NULL: it is no such number, or none.
static inline const char *read_plain(const char *at, const char *end, uint64_t *ret_digits,
                                     int *ret_places) {
    uint64_t digits = 0;
    size_t whole = read_digits(at, end, &digits), places = 0;
    if (whole == 0 || (*at == '0' && whole > 1))
        return NULL;
    at += whole;
    if (at < end && *at == '.') {
        places = read_digits(++at, end, &digits);
        if (places == 0)
            return NULL;
        at += places;
    }
    if (whole + places > PLAIN || (at < end && (*at == 'e' || *at == 'E')))
        return NULL;
    *ret_digits = digits;
    *ret_places = (int)places;
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

// Behind a number that read_plain can tell; NULL: it takes more.
static inline const char *read_double(const char *at, const char *end, double *ret_number) {
    bool negative = at < end && *at == '-';
    uint64_t digits;
    int places;
    const char *stop = read_plain(at + negative, end, &digits, &places);
    if (stop == NULL || digits > (uint64_t)1 << 53)
        return NULL;
    *ret_number = (double)digits / powers_of_ten[places] * signs[negative];
    return stop;
}

int number_read(const char *at, const char *end, const char **ret_end, double *ret_number) {
    const char *stop = read_double(at, end, ret_number);
    if (stop == NULL)
        return read(at, end, false, ret_end, ret_number);
    *ret_end = stop;
    return OK;
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

// Behind the comma at `at`, and a blank; NULL: none is there.
static inline const char *behind_comma(const char *at, const char *end) {
    if (at == NULL || at >= end || *at != ',')
        return NULL;
    at++;
    return at < end && *at == ' ' ? at + 1 : at;
}

size_t numbers_check(const char **at, const char *end) {
    uint64_t digits;
    int places;
    size_t count = 0;
    for (const char *next;; count++) {
        next = read_plain(*at + (*at < end && **at == '-'), end, &digits, &places);
        next = behind_comma(next, end);
        if (next == NULL)
            return count;
        *at = next;
    }
}

size_t numbers_read(const char **at, const char *end, size_t most, float *ret_numbers) {
    size_t count = 0;
    for (; count < most; count++) {
        double number;
        const char *next = behind_comma(read_double(*at, end, &number), end);
        if (next == NULL)
            break;
        ret_numbers[count] = (float)number;
        *at = next;
    }
    return count;
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
