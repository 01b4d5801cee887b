// Archives: files of named arrays, sealed by a SHA-256. Datasets, checkpoints and models are
// archives.
//
//   offset 0   "BPARCH01"                                                     8 bytes
//              directory offset, directory bytes                              2 × u64,
//              little-endian
//   64         the sections' data, each at a multiple of 64 bytes, zeros between
//   directory  per section: name length u16, name, type u8, rank u8, 6 reserved bytes, dims i64 ×
//   rank,
//              offset u64, bytes u64
//   end        SHA-256 of everything before it                                32 bytes
//
// A file is written beside its place (`….tmp`), fsynced, renamed, and its directory fsynced: it is
// there whole or not at all. A reader maps it read-only; pages come from the page cache as training
// touches them. Names are stored, never numbers of an enum. Integers are little-endian; big-endian
// hosts are refused at build.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/hash.h"

typedef enum ArchiveType { // stored by its letter
    ARCHIVE_F32 = 'f',
    ARCHIVE_F64 = 'd',
    ARCHIVE_I32 = 'i',
    ARCHIVE_I64 = 'l',
    ARCHIVE_U8 = 'b', // bytes; also text, without a NUL
} ArchiveType;

enum { ARCHIVE_RANK_MAX = 8, ARCHIVE_NAME_MAX = 255 };

typedef struct ArchiveSection {
    const char *name;
    ArchiveType type;
    int rank;
    int64_t dims[ARCHIVE_RANK_MAX];
    const void *data; // in a reader: in the mapping; 64-byte aligned
    size_t bytes;
} ArchiveSection;

// ---- writing ----

typedef struct ArchiveWriter ArchiveWriter;

// Opens `path`.tmp under the directory descriptor (AT_FDCWD for the working directory).
int archive_writer_create(int directory, const char *path, ArchiveWriter **ret_writer);
void archive_writer_destroy(ArchiveWriter *writer); // takes NULL; removes an unfinished file

// Adds a whole section.
int archive_add(ArchiveWriter *writer, const char *name, ArchiveType type, int rank,
                const int64_t *dims, const void *data);
int archive_add_text(ArchiveWriter *writer, const char *name, const char *text);
// Adds one piece by piece, when its size is not known at first: begin, append…, end with its final
// shape (whose product must be what was appended, else ERR_INVALID).
int archive_begin(ArchiveWriter *writer, const char *name, ArchiveType type);
int archive_append(ArchiveWriter *writer, const void *data, size_t bytes);
int archive_end(ArchiveWriter *writer, int rank, const int64_t *dims);
// Directory, checksum, fsync, rename, fsync of the directory. `ret_sha256` (may be NULL): of the
// whole file's content before the seal.
int archive_commit(ArchiveWriter *writer, char ret_sha256[HASH_TEXT]);

// ---- reading ----

typedef struct Archive Archive;

// Maps the file (opened with O_NOFOLLOW) and checks its structure; every bound is checked against
// the file's size. `verify` also checks the SHA-256, which reads it whole. ERR_NOT_FOUND,
// ERR_DAMAGED, ERR_IO, ERR_NO_MEMORY.
int archive_open(int directory, const char *path, bool verify, Archive **ret_archive);
void archive_close(Archive *archive); // takes NULL
size_t archive_count(const Archive *archive);
const ArchiveSection *archive_section(const Archive *archive, size_t index);
const ArchiveSection *archive_find(const Archive *archive, const char *name); // NULL
// The section `name` if it has this type, else NULL.
const ArchiveSection *archive_typed(const Archive *archive, const char *name, ArchiveType type);
char *archive_text(const Archive *archive,
                   const char *name);               // a NUL-terminated copy (memory_free); NULL
const char *archive_sha256(const Archive *archive); // as text, as stored
size_t archive_bytes(const Archive *archive);       // of the file
