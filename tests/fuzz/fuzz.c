// Under libFuzzer: every 32nd input begins anew from a seed. Without it: a driver that mutates.
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 16 << 10 };

#ifdef FUZZ_LIBFUZZER

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed) {
    if (size < 2 || seed % 32 == 0)
        size = fuzz_seed(seed / 32, data, max);
    return LLVMFuzzerMutate(data, size, max);
}

#else

static uint64_t state;

static uint32_t draw(uint32_t below) { // splitmix64
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) % below);
}

// One change: a bit, a byte, a number of interest, a piece left out, doubled, or moved.
static size_t mutate(uint8_t *data, size_t size) {
    static const uint64_t numbers[] = {
        0,         1,          0x7F,       0x80,       0xFF,
        0xFFFF,    0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF,
        UINT64_MAX};
    static const char characters[] = "0123456789{}[]\",:.-+eE\\/u \n\r\t\0tfn%;=()";
    if (size == 0)
        return 0;
    uint32_t at = draw((uint32_t)size),
             length = 1 + draw((uint32_t)(size - at < 32 ? size - at : 32));
    switch (draw(7)) {
    case 0:
        data[at] ^= (uint8_t)(1u << draw(8));
        return size;
    case 1:
        data[at] = (uint8_t)draw(256);
        return size;
    case 2:
        data[at] = (uint8_t)characters[draw(sizeof characters)];
        return size;
    case 3: {
        size_t bytes = (size_t)1 << draw(4);
        memcpy(data + at, &numbers[draw(sizeof numbers / sizeof *numbers)],
               bytes < size - at ? bytes : size - at);
        return size;
    }
    case 4:
        memmove(data + at, data + at + length, size - at - length);
        return size - length;
    case 5:
        if (size + length > INPUT_MAX)
            return size;
        memmove(data + at + length, data + at, size - at);
        return size + length;
    default: {
        uint32_t to = draw((uint32_t)(size - length + 1));
        memmove(data + to, data + at, length);
        return size;
    }
    }
}

int main(int argc, char **argv) {
    long runs = argc > 1 ? atol(argv[1]) : 10000;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint8_t *data = malloc(INPUT_MAX);
    fuzz_assert(data != NULL);
    size_t size = 0;
    for (long run = 0; run < runs; run++) {
        if (size == 0 || draw(16) == 0) // else one change is heaped upon the others
            size = fuzz_seed(draw(1u << 30), data, INPUT_MAX);
        if (run % 64 != 0)
            for (uint32_t changes = 1 + draw(3); changes > 0; changes--)
                size = mutate(data, size);
        LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    printf("%ld inputs\n", runs);
    return 0;
}

#endif
