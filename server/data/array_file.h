// Arrays out of files of numbers, read front to back: IDX (as MNIST's) and NPY (NumPy's, versions 1 to 3), gzip or not.
//
//   IDX   0 0 TYPE RANK, RANK sizes as 32-bit integers, numbers; all big-endian. Types: u8, i8, i16, i32, f32, f64.
//   NPY   "\x93NUMPY", version, length, {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28)}, numbers.
//         Types: f4, f8, i1 to i8, u1 to u8, b1; little-endian, and in C order.
//
// Nothing of the array is held in memory. Refused: any other type, order or format, sizes that do not multiply, and files with
// fewer or more numbers than their head promises. For the files of server/data.
#pragma once
#include "core/tensor/shape.h"
#include "server/data/unpack.h"

enum { ARRAY_RANK_MAX = SHAPE_RANK_MAX + 1 }; // rows, and the axes of one

typedef struct ArrayType {
    const char *npy;   // "f4"
    int idx;           // its code; 0: none
    const char *order; // the letters that may go before `npy`
    size_t bytes;
    double (*number)(const unsigned char *little_endian);
} ArrayType;

typedef struct ArrayFile {
    Unpack unpack;
    const ArrayType *type;
    bool big_endian;
    int rank;
    int64_t dims[ARRAY_RANK_MAX];
    int64_t count, taken; // numbers in all, and so far
    char why[320];        // why a call failed, as what follows the file's name
} ArrayFile;

// Reads the head. `left`: as Unpack's; the head's promise is held against it before a number is read. ERR_INVALID,
// ERR_TOO_LARGE: `why` says so; ERR_NO_MEMORY. Close it in any case.
int array_file_open(ArrayFile *file, const Source *source, uint64_t *left);
void array_file_close(ArrayFile *file);
// The next numbers, of which there are as many.
int array_file_read(ArrayFile *file, double *ret_numbers, size_t count);
int array_file_end(ArrayFile *file); // nothing may follow the last number
