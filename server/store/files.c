// Files are written before their row is committed and removed after it is gone, so a crash leaves
// at worst a file too many, never a row without its file. The sweep at the start removes those.
#include "server/store/files.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/base/error.h"
#include "server/base/time.h"
#include "server/store/sql.h"

typedef struct Folder {
    const char *name;
    const char *keep; // finds the id of a file that stays; NULL: none stays
} Folder;

static const Folder folders[] = {
    {"datasets", "SELECT 1 FROM datasets WHERE id = ?"},
    {"models", "SELECT 1 FROM models WHERE id = ?"},
    {"checkpoints",
     "SELECT 1 FROM jobs WHERE id = ? AND status IN ('queued', 'running', 'paused')"},
    {"tmp", NULL},
};

int files_make_folders(int directory) {
    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++) {
        if (mkdirat(directory, folders[i].name, 0700) != 0 && errno != EEXIST)
            return ERR_IO;
    }
    return OK;
}

// Whether the file "ID.ending" belongs to a row; what was being written ("….tmp") never does.
static int file_stays(sqlite3 *database, const Folder *folder, const char *name, bool *ret_stays) {
    size_t length = strcspn(name, ".");
    const char *ending = name + length;
    *ret_stays = false;
    if (folder->keep == NULL || length >= ID_TEXT || strstr(ending, ".tmp") != NULL)
        return OK;
    char id[ID_TEXT];
    snprintf(id, sizeof id, "%.*s", (int)length, name);
    int64_t one = 0;
    int result = sql_integer(database, &one, folder->keep, "s", id);
    if (result != OK && result != ERR_NOT_FOUND)
        return result;
    *ret_stays = result == OK;
    return OK;
}

static int folder_sweep(sqlite3 *database, int directory, const Folder *folder) {
    int descriptor =
        openat(directory, folder->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *stream = descriptor >= 0 ? fdopendir(descriptor) : NULL;
    if (stream == NULL) {
        if (descriptor >= 0)
            close(descriptor);
        return ERR_IO;
    }
    int result = OK;
    for (struct dirent *entry; result == OK && (entry = readdir(stream)) != NULL;) {
        bool stays = true;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        result = file_stays(database, folder, entry->d_name, &stays);
        if (result == OK && !stays)
            unlinkat(descriptor, entry->d_name, 0);
    }
    closedir(stream);
    return result;
}

int files_sweep(sqlite3 *database, int directory) {
    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++) {
        int result = folder_sweep(database, directory, &folders[i]);
        if (result != OK)
            return result;
    }
    return OK;
}

void files_remove(int directory, const char *folder, const char *id) {
    char path[ID_TEXT + 32];
    snprintf(path, sizeof path, "%s/%s.bpa", folder, id);
    unlinkat(directory, path, 0);
}

void files_remove_checkpoints(int directory, const char *job) {
    static const char *const endings[] = {"a", "b", "a.tmp", "b.tmp"};
    char path[ID_TEXT + 32];
    for (size_t i = 0; i < ARRAY_LENGTH(endings); i++) {
        snprintf(path, sizeof path, "checkpoints/%s.%s", job, endings[i]);
        unlinkat(directory, path, 0);
    }
}
