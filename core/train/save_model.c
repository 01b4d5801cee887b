// The trained model as an archive: the sections that core/model/predictor.h names.
#include <fcntl.h>
#include <sys/stat.h>
#include "core/base/error.h"
#include "core/model/graph_data.h"
#include "core/train/trainer_private.h"

// Sections of the dataset that prediction needs, where it has them.
static const char *const kept_sections[] = {"class_names", "columns",          "tokenizer",
                                            "vocabulary",  "series.transform", "series.targets"};

static int copy_section(const Archive *archive, const char *name, ArchiveWriter *writer) {
    const ArchiveSection *section = archive_find(archive, name);
    if (section == NULL)
        return OK;
    return archive_add(writer, name, section->type, section->rank, section->dims, section->data);
}

static int add_class_weights(const Job *job, ArchiveWriter *writer) {
    const Real *weights = job_class_weights(job);
    int64_t classes = job_task(job)->outputs;
    if (weights == NULL)
        return OK;
    AUTO_FREE float *single = memory_array((size_t)classes, sizeof(float));
    if (single == NULL)
        return ERR_NO_MEMORY;
    for (int64_t c = 0; c < classes; c++)
        single[c] = (float)weights[c];
    return archive_add(writer, "class_weights", ARCHIVE_F32, 1, &classes, single);
}

static int add_sections(const Trainer *trainer, const char *spec, ArchiveWriter *writer) {
    const Dataset *dataset = job_dataset(trainer->job);
    int error = archive_add_text(writer, "spec", spec);
    if (error == OK)
        error = task_save(job_task(trainer->job), writer);
    if (error == OK)
        error = archive_add_text(writer, "loss", job_loss(trainer->job)->desc.name);
    for (size_t i = 0; error == OK && i < ARRAY_LENGTH(kept_sections); i++)
        error = copy_section(dataset->archive, kept_sections[i], writer);
    if (error == OK && dataset->task.rows == ROWS_NODES) // its nodes can be asked for
        error = graph_data_copy(dataset->archive, writer);
    if (error == OK)
        error = scaler_save(&trainer->scalers.input, "input", writer);
    if (error == OK && dataset->task.kind == TASK_REGRESSION)
        error = scaler_save(&trainer->scalers.target, "target", writer);
    if (error == OK)
        error = add_class_weights(trainer->job, writer);
    if (error == OK)
        error = drift_add(trainer->job, writer);
    if (error == OK)
        error = model_save_weights(job_model(trainer->job), trainer->weights, writer);
    return error;
}

int trainer_save_model(const Trainer *trainer, int directory, const char *path, const char *spec,
                       char ret_sha256[65], size_t *ret_bytes) {
    ArchiveWriter *writer;
    int error = archive_writer_create(directory, path, &writer);
    if (error != OK)
        return error;
    error = add_sections(trainer, spec, writer);
    if (error == OK)
        error = archive_commit(writer, NULL);
    archive_writer_destroy(writer);
    if (error != OK)
        return error;
    struct stat file;
    if (fstatat(directory, path, &file, AT_SYMLINK_NOFOLLOW) != 0)
        return ERR_IO;
    *ret_bytes = (size_t)file.st_size;
    model_hash_weights(job_model(trainer->job), trainer->weights, ret_sha256);
    return OK;
}
