// The copy of the database is one read transaction (VACUUM INTO on a read-only connection): it sees one
// commit and nothing of what comes after it, and never checkpoints, which is the server's writer's alone.
//
// The files need an order. A file of a row is written before its row is committed, never changes, and is
// removed after its row is gone. So:
//
//   1  copy all datasets, models and checkpoints that are there
//   2  copy the database
//   3  copy what its rows name and 1 had not seen yet
//
// A file that 3 misses was made after 1 and deleted before 3: then 2 is made again, and its row is gone.
// Checkpoints change by renaming: whichever was copied is a whole one, and since 1 comes before 2 it is not
// beyond what the database has recorded.
#include "server/store/backup.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/base/archive.h"
#include "core/base/error.h"
#include "server/base/time.h"
#include "server/store/files.h"
#include "server/store/sql.h"

enum { TRIES = 5, COPY_BYTES = 1 << 20, NAME_BYTES = 320 };

typedef struct Backup {
    const char *source_path;
    int source, target; // directories
    char path[4096];    // of the target while it is made
    uint8_t *buffer;    // [COPY_BYTES]
    BackupReport *report;
} Backup;

static int fail(Backup *backup, int result, const char *what, const char *why) {
    snprintf(backup->report->why, sizeof backup->report->why, "%.300s: %.180s", what, why);
    return result;
}

static int fail_errno(Backup *backup, const char *what) {
    int result = errno == ENOSPC || errno == EDQUOT ? ERR_UNAVAILABLE : ERR_IO;
    return fail(backup, result, what, strerror(errno));
}

// ---- files ----

static int bytes_copy(Backup *backup, const char *name, int from, int to) {
    for (;;) {
        ssize_t count = read(from, backup->buffer, COPY_BYTES);
        if (count == 0)
            break;
        if (count < 0)
            return fail_errno(backup, name);
        for (ssize_t written = 0; written < count;) {
            ssize_t more = write(to, backup->buffer + written, (size_t)(count - written));
            if (more < 0)
                return fail_errno(backup, name);
            written += more;
        }
        backup->report->bytes += count;
    }
    backup->report->files++;
    return fsync(to) == 0 ? OK : fail_errno(backup, name);
}

// ERR_NOT_FOUND: it is not there (any more); nothing is said about that. One that was copied stays.
static int file_copy(Backup *backup, const char *name) {
    int to = openat(backup->target, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return errno == EEXIST ? OK : fail_errno(backup, name);
    int from = openat(backup->source, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int result = from < 0 && errno == ENOENT ? ERR_NOT_FOUND : OK;
    if (result == OK)
        result = from < 0 ? fail_errno(backup, name) : bytes_copy(backup, name, from, to);
    if (from >= 0)
        close(from);
    close(to);
    if (result != OK)
        unlinkat(backup->target, name, 0);
    return result;
}

// Checks the seal of what was copied: a damaged file is noticed while there may be an older copy.
static int archive_copy(Backup *backup, const char *name) {
    Archive *archive = NULL;
    int result = file_copy(backup, name);
    if (result != OK)
        return result;
    result = archive_open(backup->target, name, true, &archive);
    archive_close(archive);
    return result == OK ? OK : fail(backup, result, name, error_text(result));
}

static int folder_copy(Backup *backup, const char *folder) {
    int descriptor = openat(backup->source, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = descriptor >= 0 ? fdopendir(descriptor) : NULL;
    if (stream == NULL) {
        int result = fail_errno(backup, folder);
        if (descriptor >= 0)
            close(descriptor);
        return result;
    }
    int result = OK;
    for (struct dirent *entry; result == OK && (entry = readdir(stream)) != NULL;) {
        char name[NAME_BYTES];
        if (entry->d_name[0] == '.' || strstr(entry->d_name, ".tmp") != NULL)
            continue;
        snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        result = archive_copy(backup, name);
        if (result == ERR_NOT_FOUND) // deleted just now
            result = OK;
    }
    closedir(stream);
    return result;
}

// ---- the database ----

static int database_open(Backup *backup, const char *folder, sqlite3 **ret_database) {
    char path[4200];
    sqlite3 *database = NULL;
    snprintf(path, sizeof path, "%s/backpropd.db", folder);
    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        int result =
            fail(backup, ERR_IO, path, database != NULL ? sqlite3_errmsg(database) : "no memory");
        sqlite3_close(database);
        return result;
    }
    sqlite3_busy_timeout(database, 5000);
    *ret_database = database;
    return OK;
}

static int database_copy(Backup *backup) {
    char path[4200];
    sqlite3 *database;
    unlinkat(backup->target, "backpropd.db", 0);
    snprintf(path, sizeof path, "%s/backpropd.db", backup->path);
    int result = database_open(backup, backup->source_path, &database);
    if (result != OK)
        return result;
    result = sql_run(database, "VACUUM INTO ?", "s", path);
    if (result != OK)
        fail(backup, result, path, sqlite3_errmsg(database));
    sqlite3_close(database);
    if (result != OK)
        return result;
    int file = openat(backup->target, "backpropd.db", O_RDONLY | O_CLOEXEC);
    if (file < 0 || fchmod(file, 0600) != 0 || fsync(file) != 0)
        result = fail_errno(backup, path);
    if (file >= 0)
        close(file);
    return result;
}

static int database_check(Backup *backup, sqlite3 *copy) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int result = sql_prepare(copy, &statement, "PRAGMA integrity_check(1)", "");
    if (result == OK)
        result = sql_step(statement);
    const char *says =
        result == SQL_ROW ? (const char *)sqlite3_column_text(statement, 0) : sqlite3_errmsg(copy);
    if (result == SQL_ROW && says != NULL && strcmp(says, "ok") == 0)
        return OK;
    return fail(backup, ERR_DAMAGED, "backpropd.db", says != NULL ? says : "no memory");
}

// Copies what the rows name and is not there yet. ERR_NOT_FOUND: one is gone.
static int rows_copy(Backup *backup, sqlite3 *copy) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int result = sql_prepare(copy, &statement,
                             "SELECT 'datasets/' || id || '.bpa' FROM datasets UNION ALL"
                             " SELECT 'models/' || id || '.bpa' FROM models",
                             "");
    while (result == OK && (result = sql_step(statement)) == SQL_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        result = name == NULL ? ERR_NO_MEMORY : archive_copy(backup, name);
        if (result == ERR_NOT_FOUND)
            fail(backup, result, name, "the database names it, but it is not there");
    }
    return result;
}

static int rows_settle(Backup *backup) {
    int result = ERR_NOT_FOUND;
    for (int i = 0; i < TRIES && result == ERR_NOT_FOUND; i++) {
        sqlite3 *copy;
        result = database_copy(backup);
        if (result == OK)
            result = database_open(backup, backup->path, &copy);
        if (result != OK)
            return result;
        result = database_check(backup, copy);
        if (result == OK)
            result = rows_copy(backup, copy);
        sqlite3_close(copy);
    }
    return result == ERR_NOT_FOUND ? ERR_DAMAGED : result;
}

// ---- all of it ----

static int contents_copy(Backup *backup) {
    static const char *const folders[] = {"checkpoints", "datasets", "models"};
    struct stat status;
    int result = OK;
    if (files_make_folders(backup->target) != OK)
        return fail_errno(backup, backup->path);
    for (size_t i = 0; i < ARRAY_LENGTH(folders) && result == OK; i++)
        result = folder_copy(backup, folders[i]);
    if (result == OK)
        result = rows_settle(backup);
    if (result == OK && fstatat(backup->target, "backpropd.db", &status, 0) == 0) {
        backup->report->files++;
        backup->report->bytes += status.st_size;
    }
    if (result == OK) { // without it clients would need another one
        result = file_copy(backup, "token");
        result = result == ERR_NOT_FOUND ? OK : result;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(folders) && result == OK; i++) {
        int folder = openat(backup->target, folders[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0 || fsync(folder) != 0)
            result = fail_errno(backup, folders[i]);
        if (folder >= 0)
            close(folder);
    }
    return result;
}

// What a failed copy left.
static void remains_remove(const Backup *backup) {
    static const char *const folders[] = {"checkpoints", "datasets", "models", "tmp"};
    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++) {
        int descriptor = openat(backup->target, folders[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *stream = descriptor >= 0 ? fdopendir(descriptor) : NULL;
        for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;)
            if (entry->d_name[0] != '.')
                unlinkat(descriptor, entry->d_name, 0);
        if (stream != NULL)
            closedir(stream);
        unlinkat(backup->target, folders[i], AT_REMOVEDIR);
    }
    unlinkat(backup->target, "backpropd.db", 0);
    unlinkat(backup->target, "backpropd.db-journal", 0);
    unlinkat(backup->target, "token", 0);
    rmdir(backup->path);
}

// Renames the whole copy to its name, and makes that last.
static int target_name(Backup *backup, const char *target) {
    char parent[4096];
    if (fsync(backup->target) != 0 || rename(backup->path, target) != 0)
        return fail_errno(backup, target);
    snprintf(parent, sizeof parent, "%s", target);
    char *slash = strrchr(parent, '/');
    if (slash == NULL)
        snprintf(parent, sizeof parent, ".");
    else
        slash[slash == parent ? 1 : 0] = '\0';
    int folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = folder >= 0 && fsync(folder) == 0 ? OK : fail_errno(backup, parent);
    if (folder >= 0)
        close(folder);
    return result;
}

int store_backup(const char *source, const char *target, BackupReport *ret_report) {
    Backup backup = {.source_path = source, .source = -1, .target = -1, .report = ret_report};
    struct stat status;
    *ret_report = (BackupReport){0};
    if (lstat(target, &status) == 0)
        return fail(&backup, ERR_EXISTS, target, "is there already");
    if (snprintf(backup.path, sizeof backup.path, "%s.tmp", target) >= (int)sizeof backup.path)
        return fail(&backup, ERR_TOO_LARGE, target, "is too long a name");
    backup.source = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (backup.source < 0 || fstatat(backup.source, "backpropd.db", &status, 0) != 0) {
        int result = fail(&backup, ERR_NOT_FOUND, source, "has no backpropd.db");
        if (backup.source >= 0)
            close(backup.source);
        return result;
    }
    int result = mkdir(backup.path, 0700) == 0 ? OK : fail_errno(&backup, backup.path);
    if (result == OK) {
        backup.target = open(backup.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        backup.buffer = memory_array(COPY_BYTES, 1);
        if (backup.target < 0 || backup.buffer == NULL)
            result = fail(&backup, ERR_NO_MEMORY, backup.path, "cannot be opened");
        if (result == OK)
            result = contents_copy(&backup);
        if (result == OK)
            result = target_name(&backup, target);
        if (result != OK && backup.target >= 0)
            remains_remove(&backup);
    }
    memory_free(backup.buffer);
    if (backup.target >= 0)
        close(backup.target);
    close(backup.source);
    return result;
}
