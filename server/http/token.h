// The token's file: one line, 0600 where we make it.
#pragma once
#include <stdbool.h>

enum { TOKEN_TEXT = 257 };

// ERR_NOT_FOUND, ERR_IO, ERR_INVALID: not 16 to 256 printable characters (blanks around them do not
// count).
int token_read(int directory, const char *path, char token[TOKEN_TEXT]);
// Makes the file with 32 random bytes as hex, unless it is there; ret_made says which.
int token_read_or_make(int directory, const char *path, char token[TOKEN_TEXT], bool *ret_made);
