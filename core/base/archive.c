// Archives: the writer streams sections and seals the file at the end; the reader believes nothing
// it has not checked.
//
// There is one valid layout for given sections, so the reader compares instead of searching for
// overlaps: section i must start at the first multiple of 64 behind section i − 1, the directory at
// the first behind the last section, and nothing but the seal may follow it. What stands between
// must be zero. A name is 1 to 255 printable bytes and stands once.
#include "core/base/archive.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "archives are little-endian and mapped as they are"
#endif

enum {
    ALIGNMENT = 64,
    HEADER_BYTES = 64,
    MAGIC_BYTES = 8,
    ENTRY_FIXED_BYTES = 2 + 1 + 1 + 6 + 8 + 8, // of a directory entry, beside name and dims
    BUFFER_BYTES = 256 * 1024,
};

static const char magic[MAGIC_BYTES + 1] = "BPARCH01";

// Bytes of an element; 0 for an unknown type.
static size_t type_bytes(unsigned char type) {
    switch (type) {
    case ARCHIVE_F32:
    case ARCHIVE_I32:
        return 4;
    case ARCHIVE_F64:
    case ARCHIVE_I64:
        return 8;
    case ARCHIVE_U8:
        return 1;
    default:
        return 0;
    }
}

// *ret = bytes of an array; false where type, rank or a size is not valid.
static bool array_bytes(unsigned char type, int rank, const int64_t *dims, size_t *ret) {
    size_t bytes = type_bytes(type);
    if (bytes == 0 || rank < 0 || rank > ARCHIVE_RANK_MAX) {
        return false;
    }
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0 || !size_multiply(bytes, (size_t)dims[i], &bytes)) {
            return false;
        }
    }
    *ret = bytes;
    return true;
}

static bool is_name(const char *name, size_t length) {
    if (length == 0 || length > ARCHIVE_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < 0x20 || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static uint64_t align_up(uint64_t offset) {
    return (offset + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1);
}

// ---- writing ----

typedef struct WrittenSection {
    char *name;
    ArchiveType type;
    int rank;
    int64_t dims[ARCHIVE_RANK_MAX];
    uint64_t offset, bytes;
} WrittenSection;

struct ArchiveWriter {
    int directory, file;
    char *path, *temporary;
    char *buffer; // [BUFFER_BYTES] bytes behind `written` that are not in the file yet
    size_t buffered;
    uint64_t written;
    WrittenSection *sections; // [count]
    size_t count, capacity;
    bool open;  // the last section is between begin and end
    int result; // the first failure; what follows it does nothing
};

static uint64_t position(const ArchiveWriter *writer) {
    return writer->written + writer->buffered;
}

static int fail(ArchiveWriter *writer, int result) {
    if (writer->result == OK) {
        writer->result = result;
    }
    return writer->result;
}

static int write_all(ArchiveWriter *writer, const char *data, size_t bytes) {
    while (bytes > 0) {
        ssize_t done = write(writer->file, data, bytes);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            bool full = done < 0 && (errno == ENOSPC || errno == EDQUOT);
            return fail(writer, full ? ERR_UNAVAILABLE : ERR_IO);
        }
        data += done;
        bytes -= (size_t)done;
        writer->written += (uint64_t)done;
    }
    return OK;
}

static int flush(ArchiveWriter *writer) {
    size_t bytes = writer->buffered;
    writer->buffered = 0;
    return write_all(writer, writer->buffer, bytes);
}

static int put(ArchiveWriter *writer, const void *data, size_t bytes) {
    if (bytes > BUFFER_BYTES - writer->buffered && flush(writer) != OK) {
        return writer->result;
    }
    if (bytes > BUFFER_BYTES) {
        return write_all(writer, data, bytes);
    }
    if (bytes > 0) {
        memcpy(writer->buffer + writer->buffered, data, bytes);
        writer->buffered += bytes;
    }
    return OK;
}

static int put_padding(ArchiveWriter *writer) {
    static const char zeros[ALIGNMENT];
    return put(writer, zeros, align_up(position(writer)) - position(writer));
}

int archive_writer_create(int directory, const char *path, ArchiveWriter **ret_writer) {
    ArchiveWriter *writer = memory_new(ArchiveWriter);
    if (writer == NULL) {
        return ERR_NO_MEMORY;
    }
    writer->directory = directory;
    writer->file = -1;
    Text temporary;
    text_init(&temporary);
    text_add(&temporary, path);
    text_add(&temporary, ".tmp");
    writer->temporary = text_take(&temporary);
    writer->path = memory_string(path);
    writer->buffer = memory_array(BUFFER_BYTES, 1);
    int result = OK;
    if (writer->temporary == NULL || writer->path == NULL || writer->buffer == NULL) {
        result = ERR_NO_MEMORY;
        goto fail;
    }
    writer->file = openat(directory, writer->temporary,
                          O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (writer->file < 0) {
        result = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
        goto fail;
    }
    static const char header[HEADER_BYTES]; // filled in by archive_commit
    put(writer, header, sizeof(header));
    *ret_writer = writer;
    return OK;

fail:
    archive_writer_destroy(writer);
    return result;
}

void archive_writer_destroy(ArchiveWriter *writer) {
    if (writer == NULL) {
        return;
    }
    if (writer->file >= 0) {
        close(writer->file);
        unlinkat(writer->directory, writer->temporary, 0);
    }
    for (size_t i = 0; i < writer->count; i++) {
        memory_free(writer->sections[i].name);
    }
    memory_free(writer->sections);
    memory_free(writer->buffer);
    memory_free(writer->temporary);
    memory_free(writer->path);
    memory_free(writer);
}

static bool has_section(const ArchiveWriter *writer, const char *name) {
    for (size_t i = 0; i < writer->count; i++) {
        if (strcmp(writer->sections[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

int archive_begin(ArchiveWriter *writer, const char *name, ArchiveType type) {
    if (writer->result != OK) {
        return writer->result;
    }
    if (writer->open || type_bytes((unsigned char)type) == 0 || !is_name(name, strlen(name)) ||
        has_section(writer, name)) {
        return fail(writer, ERR_INVALID);
    }
    if (writer->count == writer->capacity) {
        size_t capacity = writer->capacity > 0 ? 2 * writer->capacity : 16;
        WrittenSection *sections =
            memory_resize(writer->sections, writer->count, capacity, sizeof(WrittenSection));
        if (sections == NULL) {
            return fail(writer, ERR_NO_MEMORY);
        }
        writer->sections = sections;
        writer->capacity = capacity;
    }
    char *copy = memory_string(name);
    if (copy == NULL) {
        return fail(writer, ERR_NO_MEMORY);
    }
    if (put_padding(writer) != OK) {
        memory_free(copy);
        return writer->result;
    }
    writer->sections[writer->count++] =
        (WrittenSection){.name = copy, .type = type, .offset = position(writer)};
    writer->open = true;
    return OK;
}

int archive_append(ArchiveWriter *writer, const void *data, size_t bytes) {
    if (writer->result != OK) {
        return writer->result;
    }
    if (!writer->open) {
        return fail(writer, ERR_INVALID);
    }
    return put(writer, data, bytes);
}

int archive_end(ArchiveWriter *writer, int rank, const int64_t *dims) {
    if (writer->result != OK) {
        return writer->result;
    }
    if (!writer->open) {
        return fail(writer, ERR_INVALID);
    }
    WrittenSection *section = &writer->sections[writer->count - 1];
    section->bytes = position(writer) - section->offset;
    size_t bytes;
    if (!array_bytes((unsigned char)section->type, rank, dims, &bytes) || bytes != section->bytes) {
        return fail(writer, ERR_INVALID);
    }
    section->rank = rank;
    if (rank > 0) {
        memcpy(section->dims, dims, (size_t)rank * sizeof(int64_t));
    }
    writer->open = false;
    return OK;
}

int archive_add(ArchiveWriter *writer, const char *name, ArchiveType type, int rank,
                const int64_t *dims, const void *data) {
    size_t bytes;
    if (!array_bytes((unsigned char)type, rank, dims, &bytes)) {
        return fail(writer, ERR_INVALID);
    }
    int result = archive_begin(writer, name, type);
    if (result == OK) {
        result = archive_append(writer, data, bytes);
    }
    if (result == OK) {
        result = archive_end(writer, rank, dims);
    }
    return result;
}

int archive_add_text(ArchiveWriter *writer, const char *name, const char *text) {
    int64_t length = (int64_t)strlen(text);
    return archive_add(writer, name, ARCHIVE_U8, 1, &length, text);
}

static void put_directory(ArchiveWriter *writer) {
    static const uint8_t reserved[6];
    for (size_t i = 0; i < writer->count; i++) {
        const WrittenSection *section = &writer->sections[i];
        uint16_t length = (uint16_t)strlen(section->name);
        uint8_t type = (uint8_t)section->type, rank = (uint8_t)section->rank;
        put(writer, &length, sizeof(length));
        put(writer, section->name, length);
        put(writer, &type, 1);
        put(writer, &rank, 1);
        put(writer, reserved, sizeof(reserved));
        put(writer, section->dims, rank * sizeof(int64_t));
        put(writer, &section->offset, sizeof(uint64_t));
        put(writer, &section->bytes, sizeof(uint64_t));
    }
}

// The header stands before what it describes, so the file is hashed from the start once it is
// whole.
static int hash_file(ArchiveWriter *writer, uint8_t digest[HASH_BYTES]) {
    Hash hash;
    hash_init(&hash);
    uint64_t offset = 0;
    while (offset < writer->written) {
        ssize_t got = pread(writer->file, writer->buffer, BUFFER_BYTES, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return fail(writer, ERR_IO);
        }
        hash_add(&hash, writer->buffer, (size_t)got);
        offset += (uint64_t)got;
    }
    hash_end(&hash, digest);
    return OK;
}

static int sync_directory(const ArchiveWriter *writer) {
    const char *slash = strrchr(writer->path, '/');
    char *parent = memory_string(slash != NULL ? writer->path : ".");
    if (parent == NULL) {
        return ERR_NO_MEMORY;
    }
    if (slash != NULL) {
        size_t length = (size_t)(slash - writer->path);
        parent[length > 0 ? length : 1] = '\0'; // the root's parent is the root
    }
    int directory = openat(writer->directory, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    memory_free(parent);
    if (directory < 0) {
        return ERR_IO;
    }
    int result = fsync(directory) == 0 ? OK : ERR_IO;
    close(directory);
    return result;
}

int archive_commit(ArchiveWriter *writer, char ret_sha256[HASH_TEXT]) {
    if (writer->result != OK) {
        return writer->result;
    }
    if (writer->open) {
        return fail(writer, ERR_INVALID);
    }
    put_padding(writer);
    uint64_t place[2] = {position(writer), 0};
    put_directory(writer);
    place[1] = position(writer) - place[0];
    if (writer->result != OK || flush(writer) != OK) {
        return writer->result;
    }
    if (pwrite(writer->file, magic, MAGIC_BYTES, 0) != MAGIC_BYTES ||
        pwrite(writer->file, place, sizeof(place), MAGIC_BYTES) != sizeof(place)) {
        return fail(writer, ERR_IO);
    }
    uint8_t digest[HASH_BYTES];
    if (hash_file(writer, digest) != OK ||
        write_all(writer, (const char *)digest, HASH_BYTES) != OK) {
        return writer->result;
    }
    if (fsync(writer->file) != 0) {
        return fail(writer, ERR_IO);
    }
    if (renameat(writer->directory, writer->temporary, writer->directory, writer->path) != 0) {
        return fail(writer, ERR_IO);
    }
    close(writer->file);
    writer->file = -1; // there is no unfinished file any more
    int result = sync_directory(writer);
    if (result != OK) {
        return fail(writer, result);
    }
    writer->result = ERR_INVALID; // nothing can be added to what is sealed
    if (ret_sha256 != NULL) {
        hash_text(digest, ret_sha256);
    }
    return OK;
}

// ---- reading ----

struct Archive {
    uint8_t *map;
    size_t bytes;
    ArchiveSection *sections; // [count] in the file's order
    size_t *by_name;          // [count] indices in the order of names
    size_t count;
    Arena names;
    char sha256[HASH_TEXT];
};

// Reads the directory front to back; never beyond its end.
typedef struct Cursor {
    const uint8_t *at;
    size_t left;
} Cursor;

static bool take(Cursor *cursor, void *ret, size_t bytes) {
    if (cursor->left < bytes) {
        return false;
    }
    if (bytes > 0) {
        memcpy(ret, cursor->at, bytes);
    }
    cursor->at += bytes;
    cursor->left -= bytes;
    return true;
}

static bool all_zero(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

// One directory entry; `*end` is where the section before it ended, and becomes where this one
// does.
static int read_section(Archive *archive, Cursor *cursor, uint64_t directory, uint64_t *end,
                        ArchiveSection *section) {
    uint16_t length;
    char name[ARCHIVE_NAME_MAX + 1];
    uint8_t type, rank, reserved[6];
    uint64_t offset, bytes;
    if (!take(cursor, &length, sizeof(length)) || length > ARCHIVE_NAME_MAX ||
        !take(cursor, name, length) || !is_name(name, length) || !take(cursor, &type, 1) ||
        !take(cursor, &rank, 1) || rank > ARCHIVE_RANK_MAX ||
        !take(cursor, reserved, sizeof(reserved)) || !all_zero(reserved, sizeof(reserved)) ||
        !take(cursor, section->dims, rank * sizeof(int64_t)) ||
        !take(cursor, &offset, sizeof(offset)) || !take(cursor, &bytes, sizeof(bytes))) {
        return ERR_DAMAGED;
    }
    size_t expected;
    if (!array_bytes(type, rank, section->dims, &expected) || bytes != expected ||
        offset != align_up(*end) || offset > directory || bytes > directory - offset ||
        !all_zero(archive->map + *end, offset - *end)) {
        return ERR_DAMAGED;
    }
    name[length] = '\0';
    section->name = arena_string(&archive->names, name);
    if (section->name == NULL) {
        return ERR_NO_MEMORY;
    }
    section->type = (ArchiveType)type;
    section->rank = rank;
    section->data = archive->map + offset;
    section->bytes = bytes;
    *end = offset + bytes;
    return OK;
}

static int compare_names(const void *a, const void *b, void *context) {
    const ArchiveSection *sections = context;
    return strcmp(sections[*(const size_t *)a].name, sections[*(const size_t *)b].name);
}

static int index_names(Archive *archive) {
    archive->by_name = memory_array(archive->count, sizeof(size_t));
    if (archive->by_name == NULL) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < archive->count; i++) {
        archive->by_name[i] = i;
    }
    qsort_r(archive->by_name, archive->count, sizeof(size_t), compare_names, archive->sections);
    for (size_t i = 1; i < archive->count; i++) {
        if (compare_names(&archive->by_name[i - 1], &archive->by_name[i], archive->sections) == 0) {
            return ERR_DAMAGED;
        }
    }
    return OK;
}

static int read_structure(Archive *archive) {
    size_t sealed = archive->bytes - HASH_BYTES; // what the seal covers
    uint64_t place[2];
    memcpy(place, archive->map + MAGIC_BYTES, sizeof(place));
    uint64_t directory = place[0];
    if (memcmp(archive->map, magic, MAGIC_BYTES) != 0 ||
        !all_zero(archive->map + MAGIC_BYTES + sizeof(place),
                  HEADER_BYTES - MAGIC_BYTES - sizeof(place)) ||
        directory < HEADER_BYTES || directory > sealed || place[1] != sealed - directory) {
        return ERR_DAMAGED;
    }
    Cursor cursor = {archive->map + directory, place[1]};
    // No more sections than the smallest entries would fill the directory with.
    size_t count_max = place[1] / (ENTRY_FIXED_BYTES + 1);
    archive->sections = memory_array(count_max, sizeof(ArchiveSection));
    if (archive->sections == NULL) {
        return ERR_NO_MEMORY;
    }
    uint64_t end = HEADER_BYTES;
    while (cursor.left > 0) {
        if (archive->count == count_max) {
            return ERR_DAMAGED;
        }
        int result =
            read_section(archive, &cursor, directory, &end, &archive->sections[archive->count]);
        if (result != OK) {
            return result;
        }
        archive->count++;
    }
    if (directory != align_up(end) || !all_zero(archive->map + end, directory - end)) {
        return ERR_DAMAGED;
    }
    hash_text(archive->map + sealed, archive->sha256);
    return index_names(archive);
}

static int map_file(Archive *archive, int directory, const char *path) {
    int file = openat(directory, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    }
    struct stat status;
    int result = OK;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        result = ERR_IO;
    } else if (status.st_size < HEADER_BYTES + HASH_BYTES) {
        result = ERR_DAMAGED;
    } else {
        archive->bytes = (size_t)status.st_size;
        void *map = mmap(NULL, archive->bytes, PROT_READ, MAP_PRIVATE, file, 0);
        if (map == MAP_FAILED) {
            result = errno == ENOMEM ? ERR_NO_MEMORY : ERR_IO;
        } else {
            archive->map = map;
        }
    }
    close(file);
    return result;
}

int archive_open(int directory, const char *path, bool verify, Archive **ret_archive) {
    Archive *archive = memory_new(Archive);
    if (archive == NULL) {
        return ERR_NO_MEMORY;
    }
    arena_init(&archive->names, 0);
    int result = map_file(archive, directory, path);
    if (result == OK) {
        result = read_structure(archive);
    }
    if (result == OK && verify) {
        char sha256[HASH_TEXT];
        hash_of(archive->map, archive->bytes - HASH_BYTES, sha256);
        result = strcmp(sha256, archive->sha256) == 0 ? OK : ERR_DAMAGED;
    }
    if (result != OK) {
        archive_close(archive);
        return result;
    }
    *ret_archive = archive;
    return OK;
}

void archive_close(Archive *archive) {
    if (archive == NULL) {
        return;
    }
    if (archive->map != NULL) {
        munmap(archive->map, archive->bytes);
    }
    memory_free(archive->sections);
    memory_free(archive->by_name);
    arena_finish(&archive->names);
    memory_free(archive);
}

size_t archive_count(const Archive *archive) {
    return archive->count;
}

const ArchiveSection *archive_section(const Archive *archive, size_t index) {
    return &archive->sections[index];
}

const ArchiveSection *archive_find(const Archive *archive, const char *name) {
    size_t low = 0, high = archive->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const ArchiveSection *section = &archive->sections[archive->by_name[middle]];
        int order = strcmp(name, section->name);
        if (order == 0) {
            return section;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const ArchiveSection *archive_typed(const Archive *archive, const char *name, ArchiveType type) {
    const ArchiveSection *section = archive_find(archive, name);
    return section != NULL && section->type == type ? section : NULL;
}

char *archive_text(const Archive *archive, const char *name) {
    const ArchiveSection *section = archive_typed(archive, name, ARCHIVE_U8);
    if (section == NULL || memchr(section->data, '\0', section->bytes) != NULL) {
        return NULL;
    }
    char *text = memory_array(section->bytes + 1, 1);
    if (text != NULL) {
        memcpy(text, section->data, section->bytes);
    }
    return text;
}

const char *archive_sha256(const Archive *archive) {
    return archive->sha256;
}

size_t archive_bytes(const Archive *archive) {
    return archive->bytes;
}
