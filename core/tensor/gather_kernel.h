// One form of the sums (see gather.c), included once for each with
//
//   GATHER_NAME      of the function it defines
//   GATHER_TARGET    attribute of the instructions it may use
//   GATHER_BYTES     of a vector, which these instructions have: a wider one would go through memory

#define GATHER_JOIN(a, b) a##b
#define GATHER_OF(a, b) GATHER_JOIN(a, b)
#define GATHER_VECTOR GATHER_OF(GATHER_NAME, _vector)
#define GATHER_MEMORY GATHER_OF(GATHER_NAME, _memory)
#define GATHER_ADD GATHER_OF(GATHER_NAME, _add)
#define GATHER_STORE GATHER_OF(GATHER_NAME, _store)
#define GATHER_ROW GATHER_OF(GATHER_NAME, _row)
#define GATHER_LANES (GATHER_BYTES / sizeof(Real))
#define GATHER_VECTORS (COLUMNS / GATHER_LANES)
#define GATHER_INLINE GATHER_TARGET static inline __attribute__((always_inline))

typedef Real GATHER_VECTOR __attribute__((vector_size(GATHER_BYTES)));
typedef GATHER_VECTOR GATHER_MEMORY __attribute__((aligned(sizeof(Real)), may_alias));

// sums += weight · COLUMNS numbers
GATHER_INLINE void GATHER_ADD(GATHER_VECTOR sums[GATHER_VECTORS], Real weight, const Real *from) {
#pragma GCC unroll 8
    for (size_t i = 0; i < GATHER_VECTORS; i++)
        sums[i] += weight * *(const GATHER_MEMORY *)(from + i * GATHER_LANES);
}

GATHER_INLINE void GATHER_STORE(const GATHER_VECTOR even[GATHER_VECTORS],
                                const GATHER_VECTOR odd[GATHER_VECTORS], Real *to) {
#pragma GCC unroll 8
    for (size_t i = 0; i < GATHER_VECTORS; i++)
        *(GATHER_MEMORY *)(to + i * GATHER_LANES) = even[i] + odd[i];
}

// placed: whether the gather has places; a constant.
GATHER_INLINE void GATHER_ROW(const Gather *gather, const Part *part, bool placed, size_t v) {
    GATHER_VECTOR even[GATHER_VECTORS] = {{0}}, odd[GATHER_VECTORS] = {{0}};
    const int32_t *restrict from = gather->from, *restrict place = gather->place;
    const Real *restrict weight = gather->weight;
    int32_t e = gather->first[v], end = gather->first[v + 1];
    for (; e + 1 < end; e += 2) {
        size_t a = (size_t)from[e], b = (size_t)from[e + 1];
        GATHER_ADD(even, weight[placed ? place[e] : e], row_at(gather, part, a));
        GATHER_ADD(odd, weight[placed ? place[e + 1] : e + 1], row_at(gather, part, b));
    }
    if (e < end)
        GATHER_ADD(even, weight[placed ? place[e] : e], row_at(gather, part, (size_t)from[e]));
    if (gather->own != NULL)
        GATHER_ADD(odd, gather->own[v], row_at(gather, part, v));
    Real *y = gather->y + v * gather->width + part->begin;
    if (part->columns == COLUMNS && gather->bias == NULL) {
        GATHER_STORE(even, odd, y);
        return;
    }
    Real sums[COLUMNS] = {0};
    GATHER_STORE(even, odd, sums);
    for (size_t c = 0; c < part->columns; c++)
        y[c] = gather->bias == NULL ? sums[c] : sums[c] + gather->bias[part->begin + c];
}

GATHER_TARGET static void GATHER_NAME(const Gather *gather, const Part *part, size_t begin,
                                      size_t end) {
    if (gather->place != NULL)
        for (size_t v = begin; v < end; v++)
            GATHER_ROW(gather, part, true, v);
    else
        for (size_t v = begin; v < end; v++)
            GATHER_ROW(gather, part, false, v);
}

#undef GATHER_JOIN
#undef GATHER_OF
#undef GATHER_VECTOR
#undef GATHER_MEMORY
#undef GATHER_ADD
#undef GATHER_STORE
#undef GATHER_ROW
#undef GATHER_LANES
#undef GATHER_VECTORS
#undef GATHER_INLINE
#undef GATHER_NAME
#undef GATHER_TARGET
#undef GATHER_BYTES
