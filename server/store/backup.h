// A consistent copy of a server's folder, made by another process while the server runs.
#pragma once
#include <stdint.h>

typedef struct BackupReport {
    int64_t files, bytes; // of the copy, the database among them
    char why[512];        // where it fails: which file, and what is the matter
} BackupReport;

// `target` must not be there yet; it appears whole, under its name, or not at all. Every archive is
// checked against its SHA-256, the database by its integrity_check. ERR_EXISTS; ERR_NOT_FOUND: `source` has
// no database; ERR_DAMAGED; ERR_UNAVAILABLE: no room, or files vanished as fast as they were copied;
// ERR_IO.
int store_backup(const char *source, const char *target, BackupReport *ret_report);
