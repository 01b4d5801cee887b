#include "server/http/token.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "core/base/error.h"
#include "server/http/auth.h"

enum { SHORTEST = 16 };

int token_read(int directory, const char *path, char token[TOKEN_TEXT]) {
    char text[TOKEN_TEXT + 64] = {0};
    int descriptor = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    ssize_t length = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    if (length < 0)
        return ERR_IO;
    const char *begin = text + strspn(text, " \t\r\n");
    size_t size = strcspn(begin, " \t\r\n");
    if (size < SHORTEST || size >= TOKEN_TEXT ||
        begin[size + strspn(begin + size, " \t\r\n")] != '\0')
        return ERR_INVALID;
    for (size_t i = 0; i < size; i++)
        if (begin[i] < '!' || begin[i] > '~')
            return ERR_INVALID;
    memcpy(token, begin, size);
    token[size] = '\0';
    explicit_bzero(text, sizeof text);
    return OK;
}

int token_read_or_make(int directory, const char *path, char token[TOKEN_TEXT], bool *ret_made) {
    char text[HASH_TEXT + 1];
    int error = token_read(directory, path, token);
    *ret_made = false;
    if (error != ERR_NOT_FOUND)
        return error;
    int descriptor =
        openat(directory, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return ERR_IO;
    random_text(text);
    strcat(text, "\n");
    bool written =
        write(descriptor, text, strlen(text)) == (ssize_t)strlen(text) && fsync(descriptor) == 0;
    explicit_bzero(text, sizeof text);
    if (close(descriptor) != 0 || !written) {
        unlinkat(directory, path, 0);
        return ERR_IO;
    }
    *ret_made = true;
    return token_read(directory, path, token);
}
