// Confusion matrices. Counting allocates nothing.
//
//   precision = right of a class / predicted to be it    recall = right of a class / truly it    f1 = their harmonic mean
#include "core/train/confusion.h"
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

static int find_names(Confusion *confusion, const Archive *archive) {
    const ArchiveSection *section = archive_typed(archive, "class_names", ARCHIVE_U8);
    if (section == NULL)
        return ERR_DAMAGED;
    const char *at = section->data, *end = at + section->bytes;
    for (int64_t i = 0; i < confusion->classes; i++) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));
        if (stop == NULL)
            return ERR_DAMAGED;
        confusion->names[i] = at;
        at = stop + 1;
    }
    return OK;
}

int confusion_init(Confusion *confusion, const Archive *archive, int64_t classes) {
    *confusion = (Confusion){.classes = classes};
    if (classes > CONFUSION_CLASSES_MAX)
        return ERR_TOO_LARGE;
    confusion->names = memory_array((size_t)classes, sizeof(*confusion->names));
    confusion->counts = memory_array((size_t)(classes * classes), sizeof(*confusion->counts));
    int error = confusion->names == NULL || confusion->counts == NULL
                    ? ERR_NO_MEMORY
                    : find_names(confusion, archive);
    if (error != OK)
        confusion_finish(confusion);
    return error;
}

void confusion_finish(Confusion *confusion) {
    memory_free(confusion->names);
    memory_free(confusion->counts);
    *confusion = (Confusion){0};
}

void confusion_add(Confusion *confusion, const Mistake *row) {
    confusion->counts[row->true_class * confusion->classes + row->predicted]++;
    if (row->true_class == row->predicted)
        return;
    int place = confusion->worst_count;
    while (place > 0 && confusion->worst[place - 1].probability < row->probability)
        place--;
    if (place == CONFUSION_WORST)
        return;
    if (confusion->worst_count < CONFUSION_WORST)
        confusion->worst_count++;
    memmove(confusion->worst + place + 1, confusion->worst + place,
            (size_t)(confusion->worst_count - 1 - place) * sizeof(*confusion->worst));
    confusion->worst[place] = *row;
}

static double ratio(double part, double whole) {
    return whole == 0 ? 0 : part / whole;
}

static void write_class(const Confusion *confusion, int64_t index, const ValueWriter *out) {
    int64_t classes = confusion->classes, support = 0, predicted = 0;
    for (int64_t other = 0; other < classes; other++) {
        support += confusion->counts[index * classes + other];
        predicted += confusion->counts[other * classes + index];
    }
    double right = (double)confusion->counts[index * classes + index];
    write_begin_object(out, NULL);
    write_string(out, "class", confusion->names[index]);
    write_number(out, "precision", ratio(right, (double)predicted));
    write_number(out, "recall", ratio(right, (double)support));
    write_number(out, "f1", ratio(2 * right, (double)(predicted + support)));
    write_integer(out, "support", support);
    write_end_object(out);
}

static void write_mistake(const Confusion *confusion, const Mistake *mistake,
                          const ValueWriter *out) {
    write_begin_object(out, NULL);
    write_integer(out, "row", mistake->row);
    write_string(out, "true", confusion->names[mistake->true_class]);
    write_string(out, "predicted", confusion->names[mistake->predicted]);
    write_number(out, "probability", mistake->probability);
    write_end_object(out);
}

void confusion_write(const Confusion *confusion, const char *key, const ValueWriter *out) {
    int64_t classes = confusion->classes;
    write_begin_object(out, key);
    write_begin_array(out, "classes");
    for (int64_t i = 0; i < classes; i++)
        write_string(out, NULL, confusion->names[i]);
    write_end_array(out);
    write_begin_array(out, "matrix");
    for (int64_t i = 0; i < classes; i++) {
        write_begin_array(out, NULL);
        for (int64_t j = 0; j < classes; j++)
            write_integer(out, NULL, confusion->counts[i * classes + j]);
        write_end_array(out);
    }
    write_end_array(out);
    write_begin_array(out, "per_class");
    for (int64_t i = 0; i < classes; i++)
        write_class(confusion, i, out);
    write_end_array(out);
    write_begin_array(out, "worst");
    for (int i = 0; i < confusion->worst_count; i++)
        write_mistake(confusion, &confusion->worst[i], out);
    write_end_array(out);
    write_end_object(out);
}
