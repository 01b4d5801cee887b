// Each augmentation on rows of its own, and all of them as parts of a job.
#include "tests/core/sample.h"
#include <math.h>
#include "core/train/augment.h"
#include "core/train/augmentations/augmentations.h"
#include "tests/support/near.h"

static Issues issues;

static void begin(void) {
    sample_begin();
    issues_init(&issues);
}

static void end(void) {
    issues_finish(&issues);
    sample_end();
}

TestSuite(augmentations, .init = begin, .fini = end);

enum { HEIGHT = 5, WIDTH = 7, CHANNELS = 2, IMAGE = HEIGHT * WIDTH * CHANNELS, DRAWS = 400 };

typedef struct Augmentation {
    const AugmentationDesc *desc;
    const void *params; // as prepared
} Augmentation;

// Ids 2 … 6 are film, movie, picture, good and bad.
static Vocabulary vocabulary_of(TokenizerKind kind, int32_t reserved) {
    static const char *const words[] = {"film", "movie", "picture", "good", "bad"};
    Vocabulary vocabulary = {.kind = kind, .reserved = reserved};
    int32_t index;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        cr_assert_eq(names_add(&vocabulary.tokens, words[i], strlen(words[i]), 100, &index), OK);
    return vocabulary;
}

static int prepare(Augmentation *augmentation, const Vocabulary *vocabulary) {
    if (augmentation->desc->prepare == NULL)
        return OK;
    const AugmentTask task = {.height = HEIGHT, .width = WIDTH, .vocabulary = vocabulary};
    return augmentation->desc->prepare(augmentation->params, &task, NULL, &issues, &sample_arena,
                                       &augmentation->params);
}

static Augmentation make(const char *name, const char *params) {
    Augmentation made = {.desc =
                             (const AugmentationDesc *)registry_find(&augmentation_registry, name)};
    cr_assert_not_null(made.desc);
    cr_assert_eq(params_read(&made.desc->desc, json_value(&sample_arena, params), NULL, NULL,
                             &sample_arena, &issues, &made.params),
                 OK);
    return made;
}

static Augmentation make_prepared(const char *name, const char *params) {
    Augmentation made = make(name, params);
    Vocabulary vocabulary = vocabulary_of(TOKENIZER_WORD, 2);
    cr_assert_eq(prepare(&made, &vocabulary), OK);
    vocabulary_finish(&vocabulary);
    return made;
}

// `values` [count] as they are after one draw.
static void apply(const Augmentation *augmentation, const Real *values, int64_t count, int draw,
                  Real *ret_values) {
    Real spare[IMAGE] = {0};
    memcpy(ret_values, values, (size_t)count * sizeof(Real));
    const AugmentRow row = {.height = HEIGHT,
                            .width = WIDTH,
                            .channels = CHANNELS,
                            .count = count,
                            .values = ret_values,
                            .spare = spare};
    Rng rng = rng_make(5, RNG_AUGMENT, (uint64_t)draw, 0);
    augmentation->desc->apply(augmentation->params, &row, &rng);
}

// An image whose every number is another, none of them 0.
static void count_up(Real *image) {
    for (int i = 0; i < IMAGE; i++)
        image[i] = (Real)(i + 1);
}

static Real pixel(const Real *image, int y, int x, int c) {
    bool inside = y >= 0 && y < HEIGHT && x >= 0 && x < WIDTH;
    return inside ? image[(y * WIDTH + x) * CHANNELS + c] : 0;
}

// ---- images ----

static void assert_flips(const char *name, bool vertical) {
    Augmentation flip = make(name, "{}");
    Real image[IMAGE], after[IMAGE];
    count_up(image);
    int flips = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
        apply(&flip, image, IMAGE, draw, after);
        bool flipped = memcmp(after, image, sizeof(image)) != 0;
        flips += flipped;
        for (int i = 0; i < IMAGE; i++) {
            int y = i / CHANNELS / WIDTH, x = i / CHANNELS % WIDTH;
            int from_y = flipped && vertical ? HEIGHT - 1 - y : y;
            int from_x = flipped && !vertical ? WIDTH - 1 - x : x;
            cr_assert_eq(after[i], pixel(image, from_y, from_x, i % CHANNELS));
        }
    }
    cr_assert(flips > DRAWS / 2 - 60 && flips < DRAWS / 2 + 60, "%d of %d", flips, DRAWS);
}

Test(augmentations, flips_mirror_every_second_image) {
    assert_flips("flip_horizontal", false);
    assert_flips("flip_vertical", true);
}

// Every move of −down … down and −right … right must come, and no other.
static void assert_moves(const char *name, const char *params, int down, int right) {
    Augmentation move = make(name, params);
    Real image[IMAGE], after[IMAGE];
    bool seen[2 * HEIGHT + 1][2 * WIDTH + 1] = {{false}};
    count_up(image);
    for (int draw = 0; draw < DRAWS; draw++) {
        apply(&move, image, IMAGE, draw, after);
        int found = 0;
        for (int y = -down; y <= down; y++)
            for (int x = -right; x <= right; x++) {
                bool same = true;
                for (int i = 0; i < IMAGE && same; i++)
                    same = after[i] == pixel(image, i / CHANNELS / WIDTH - y,
                                             i / CHANNELS % WIDTH - x, i % CHANNELS);
                found += same;
                seen[y + HEIGHT][x + WIDTH] |= same;
            }
        cr_assert_eq(found, 1);
    }
    for (int y = -down; y <= down; y++)
        for (int x = -right; x <= right; x++)
            cr_assert(seen[y + HEIGHT][x + WIDTH], "%s never moved by %d, %d", name, y, x);
}

Test(augmentations, shift_moves_by_whole_pixels_up_to_the_fraction) {
    assert_moves("shift", "{\"fraction\": 0.3}", 2, 2);
    assert_moves("shift", "{\"fraction\": 0.1}", 1, 1);
    assert_moves("shift", "{\"fraction\": 0.08}", 0, 1);
}

Test(augmentations, crop_moves_within_its_border) {
    assert_moves("crop", "{\"padding\": 1}", 1, 1);
    assert_moves("crop", "{\"padding\": 3}", 3, 3);
}

// Where all four neighbours lie in the image, a bilinear mean of a linear function is the function itself.
Test(augmentations, rotate_turns_about_the_centre) {
    Augmentation rotate = make("rotate", "{\"degrees\": 180}");
    Real image[IMAGE], after[IMAGE];
    for (int i = 0; i < IMAGE; i++)
        image[i] = (Real)(10 + i / CHANNELS / WIDTH + 0.5 * (i / CHANNELS % WIDTH) + i % CHANNELS);
    double least = 0, greatest = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
        Rng rng = rng_make(5, RNG_AUGMENT, (uint64_t)draw, 0);
        double angle = (2 * rng_uniform(&rng) - 1) * M_PI;
        least = fmin(least, angle);
        greatest = fmax(greatest, angle);
        apply(&rotate, image, IMAGE, draw, after);
        for (int i = 0; i < IMAGE; i++) {
            double y = i / CHANNELS / WIDTH - 2, x = i / CHANNELS % WIDTH - 3;
            double from_y = 2 + y * cos(angle) - x * sin(angle);
            double from_x = 3 + x * cos(angle) + y * sin(angle);
            bool inside = from_y >= 0 && from_y <= HEIGHT - 1 && from_x >= 0 && from_x <= WIDTH - 1;
            bool outside = from_y <= -1 || from_y >= HEIGHT || from_x <= -1 || from_x >= WIDTH;
            if (inside)
                assert_near((double)after[i], 10 + from_y + 0.5 * from_x + i % CHANNELS, 1e-5);
            if (outside)
                cr_assert_eq(after[i], 0);
        }
    }
    cr_assert(least < -3 && greatest > 3);
}

// ---- numbers ----

Test(augmentations, noise_has_the_spread_that_is_asked_for) {
    Augmentation noise = make("noise", "{\"std\": 0.5}");
    const Real zeros[33] = {0};
    Real after[33];
    double sum = 0, squares = 0, products = 0;
    for (int draw = 0; draw < 2000; draw++) {
        apply(&noise, zeros, 33, draw, after); // the last has no partner
        for (int i = 0; i < 33; i++) {
            sum += (double)after[i];
            squares += (double)(after[i] * after[i]);
            products += i > 0 ? (double)(after[i] * after[i - 1]) : 0;
        }
    }
    assert_near(sum / (33 * 2000), 0, 0.01);
    assert_near(sqrt(squares / (33 * 2000)), 0.5, 0.01);
    assert_near(products / (32 * 2000), 0, 0.01);
}

// ---- texts ----

Test(augmentations, token_swap_moves_tokens_by_one_place) {
    Augmentation all = make("token_swap", "{\"rate\": 1}"), some = make("token_swap", "{}");
    Real text[20], after[20];
    for (int i = 0; i < 20; i++)
        text[i] = (Real)(i + 2);
    apply(&all, text, 5, 0, after);
    assert_all_near(after, ((double[]){3, 2, 5, 4, 6}), 5, 0);
    apply(&all, text, 1, 0, after);
    cr_assert_eq(after[0], text[0]);
    int swaps = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
        apply(&some, text, 20, draw, after);
        for (int i = 0; i < 20; i++) {
            int from = (int)after[i] - 2;
            cr_assert(abs(from - i) <= 1);
            cr_assert_eq(after[from], text[i]);
            swaps += from == i + 1;
        }
    }
    // Of each pair that is looked at, 0.1; a swapped one hides the pair behind it.
    assert_near((double)swaps / (19 * DRAWS), 0.1 / 1.1, 0.01);
}

Test(augmentations, token_dropout_makes_tokens_unknown) {
    Augmentation dropout = make_prepared("token_dropout", "{\"rate\": 0.25}");
    Real text[20], after[20];
    int unknown = 0;
    for (int i = 0; i < 20; i++)
        text[i] = (Real)(i + 2);
    for (int draw = 0; draw < DRAWS; draw++) {
        apply(&dropout, text, 20, draw, after);
        for (int i = 0; i < 20; i++) {
            cr_assert(after[i] == text[i] || after[i] == TOKEN_UNKNOWN);
            unknown += after[i] == TOKEN_UNKNOWN;
        }
    }
    assert_near((double)unknown / (20 * DRAWS), 0.25, 0.02);
}

Test(augmentations, synonym_chooses_evenly_among_a_word_and_its_alternatives) {
    // A word is read as the tokenizer reads it; what the dataset has not is passed over.
    Augmentation synonym = make_prepared(
        "synonym",
        "{\"table\": {\"Bad\": [\"Good\"], \"film\": [\"movie\", \"flick\", \"picture\"],"
        " \"car\": [\"film\"]}}");
    const Real text[] = {2, 3, 6, 5, 1, 2};
    Real after[6];
    int films[3] = {0}, good = 0;
    for (int draw = 0; draw < 3000; draw++) {
        apply(&synonym, text, 6, draw, after);
        cr_assert(after[0] >= 2 && after[0] <= 4);
        films[(int)after[0] - 2]++;
        cr_assert(after[2] == 5 || after[2] == 6);
        good += after[2] == 5;
        cr_assert_eq(after[1], 3);
        cr_assert_eq(after[3], 5);
        cr_assert_eq(after[4], 1);
    }
    for (int i = 0; i < 3; i++)
        assert_near(films[i], 1000, 100);
    assert_near(good, 1500, 100);
}

static void refuse_words(const char *name, const char *params, TokenizerKind kind, int32_t reserved,
                         const char *pointer, const char *part) {
    Augmentation made = make(name, params);
    Vocabulary vocabulary = vocabulary_of(kind, reserved);
    issues_finish(&issues);
    issues_init(&issues);
    cr_assert_eq(prepare(&made, &vocabulary), ERR_INVALID);
    assert_issue(&issues, pointer, part);
    vocabulary_finish(&vocabulary);
}

Test(augmentations, of_words_are_refused_where_they_mean_nothing) {
    refuse_words("token_dropout", "{}", TOKENIZER_BYTE, 1, "", "every byte");
    refuse_words("synonym", "{\"table\": {\"film\": [\"movie\"]}}", TOKENIZER_CHAR, 2, "/table",
                 "no tokens of words");
    refuse_words("synonym", "{\"table\": [\"film\"]}", TOKENIZER_WORD, 2, "/table", "an object");
    refuse_words("synonym", "{\"table\": {\"film\": \"movie\"}}", TOKENIZER_WORD, 2, "/table/film",
                 "a list of words");
    refuse_words("synonym", "{\"table\": {\"film\": [\"movie\", \"the movie\"]}}", TOKENIZER_WORD,
                 2, "/table/film/1", "one word");
    refuse_words("synonym", "{\"table\": {\"a film\": [\"movie\"]}}", TOKENIZER_WORD, 2,
                 "/table/a film", "one word");
    refuse_words("synonym", "{\"table\": {\"film\": [7]}}", TOKENIZER_WORD, 2, "/table/film/0",
                 "a number");
    refuse_words("synonym", "{\"table\": {\"film\": [\"flick\", \"Film\"]}}", TOKENIZER_WORD, 2,
                 "/table", "both in the dataset");
}

// ---- all ----

Test(augmentations, probes_draw_from_their_generator_alone) {
    for (size_t i = 0; i < augmentation_registry.count; i++) {
        const AugmentationDesc *desc = (const AugmentationDesc *)augmentation_registry.entries[i];
        const char *const *probes = desc->desc.probes;
        cr_assert(probes != NULL && probes[0] != NULL, "%s has no probe", desc->desc.name);
        for (; *probes != NULL; probes++) {
            Augmentation augmentation = make_prepared(desc->desc.name, *probes);
            Real row[IMAGE], first[IMAGE], second[IMAGE];
            count_up(row);
            for (int k = 0; desc->rows == AUGMENT_TEXTS && k < IMAGE; k++)
                row[k] = (Real)(2 + k % 5);
            int changed = 0;
            for (int draw = 0; draw < 20; draw++) {
                apply(&augmentation, row, IMAGE, draw, first);
                apply(&augmentation, row, IMAGE, draw, second);
                cr_assert_arr_eq(first, second, sizeof(first));
                changed += memcmp(first, row, sizeof(row)) != 0;
            }
            cr_assert(changed > 0, "%s changes nothing", desc->desc.name);
        }
    }
}

// ---- in a job ----

#define LAYERS                                                                                     \
    "\"layers\": [{\"type\": \"flatten\"}, {\"type\": \"dense\", \"units\": 8, \"activation\":"    \
    " \"tanh\"}, {\"type\": \"dense\", \"units\": 3}]}"
#define TABLE "\"model\": {" LAYERS
#define IMAGES "\"model\": {\"input\": {\"shape\": [2, 2, 1]}, " LAYERS

static void refuse(const char *model, const char *augment) {
    SampleData data = sample_blobs(30, 3);
    Dataset *dataset = sample_dataset(&data);
    char spec[1024];
    snprintf(spec, sizeof(spec), "{%s, \"training\": {\"augment\": %s}}", model, augment);
    Job *job;
    cr_assert_eq(job_create(json_value(&sample_arena, spec), dataset, 1, &issues, &job),
                 ERR_INVALID);
    dataset_close(dataset);
}

Test(augmentations, are_refused_for_rows_that_they_do_not_fit) {
    refuse(TABLE, "[{\"type\": \"noise\", \"std\": 0.5}, \"rotate\", \"token_swap\"]");
    assert_issue(&issues, "/training/augment/1", "[height, width, channels]");
    assert_issue(&issues, "/training/augment/2", "texts");
    cr_assert_eq(issues.count, 2);
}

Test(augmentations, are_refused_where_they_would_do_nothing_or_leave_nothing) {
    refuse(IMAGES,
           "[{\"type\": \"shift\", \"fraction\": 0.2}, {\"type\": \"crop\", \"padding\": 2},"
           " {\"type\": \"flip\"}, \"crop\"]");
    assert_issue(&issues, "/training/augment/2/type", "\"flip_horizontal\"");
    cr_assert_eq(issues.count, 1); // names first: what a list holds is known only then
    issues_finish(&issues);
    issues_init(&issues);
    refuse(IMAGES,
           "[{\"type\": \"shift\", \"fraction\": 0.2}, {\"type\": \"crop\", \"padding\": 2}]");
    assert_issue(&issues, "/training/augment/0/fraction", "half a pixel");
    assert_issue(&issues, "/training/augment/1/padding", "below 2");
    cr_assert_eq(issues.count, 2);
}

static void keep_loss(void *context, const TrainEvent *event) {
    if (event->kind == TRAIN_EPOCH)
        *(double *)context = event->train.loss;
}

// In a corpus a token moved would be a target told.
Test(augmentations, of_texts_are_refused_for_a_corpus) {
    ArchiveWriter *writer;
    Vocabulary vocabulary = vocabulary_of(TOKENIZER_WORD, 2);
    int64_t count = 100;
    uint8_t tokens[100];
    for (int i = 0; i < 100; i++)
        tokens[i] = (uint8_t)(2 + i % 5);
    cr_assert_eq(archive_writer_create(sample_directory, "corpus", &writer), OK);
    archive_add_text(writer, "task", "language_model");
    archive_add_text(writer, "form", "corpus");
    vocabulary_save(&vocabulary, writer);
    archive_add(writer, "tokens", ARCHIVE_U8, 1, &count, tokens);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    vocabulary_finish(&vocabulary);
    Dataset *dataset;
    cr_assert_eq(dataset_open(sample_directory, "corpus", true, &dataset), OK);
    Job *job;
    cr_assert_eq(job_create(json_value(&sample_arena,
                                       "{\"model\": {\"layers\": [{\"type\": \"embedding\","
                                       " \"units\": 4}, {\"type\": \"dense\", \"units\": 7}]},"
                                       " \"training\": {\"sequence_length\": 5,"
                                       " \"augment\": [\"token_swap\", \"noise\"]}}"),
                            dataset, 1, &issues, &job),
                 ERR_INVALID);
    assert_issue(&issues, "/training/augment/0", "every token is the target");
    assert_issue(&issues, "/training/augment/1", "texts");
    cr_assert_eq(issues.count, 2);
    dataset_close(dataset);
}

// The weights barely move, so validation sees what it saw without; the training loss does not.
Test(augmentations, leave_validation_alone) {
    SampleData data = sample_blobs(60, 3);
    Dataset *dataset = sample_dataset(&data);
#define STILL "\"epochs\": 1, \"optimizer\": {\"type\": \"sgd\", \"learning_rate\": 1e-9}"
    Job *plain = sample_job(dataset, "{" TABLE ", \"training\": {" STILL "}}");
    Job *noisy = sample_job(dataset, "{" TABLE ", \"training\": {" STILL
                                     ", \"augment\": [{\"type\": \"noise\", \"std\": 3}]}}");
    double validation[2], train[2];
    const Job *jobs[] = {plain, noisy};
    for (int i = 0; i < 2; i++) {
        const TrainerHooks hooks = {.context = &train[i], .event = keep_loss};
        Trainer *trainer;
        cr_assert_eq(trainer_create(jobs[i], &hooks, &trainer), OK);
        cr_assert_eq(trainer_run(trainer), OK);
        validation[i] = trainer_validation(trainer)->loss;
        trainer_destroy(trainer);
    }
    assert_near(validation[0], validation[1], 1e-6);
    cr_assert_gt(fabs(train[0] - train[1]), 1e-3);
    job_destroy(plain);
    job_destroy(noisy);
    dataset_close(dataset);
}

enum { ROWS = 600 }; // enough for a piece for each thread

static void gather(const Job *job, const Scalers *scalers, int64_t step, Parallel *parallel,
                   Batch *batch) {
    int32_t rows[ROWS];
    for (int i = 0; i < ROWS; i++)
        rows[i] = i;
    Augmenter augmenter;
    cr_assert_eq(batch_init(batch, job, scalers, ROWS), OK);
    cr_assert_eq(augmenter_init(&augmenter, job), OK);
    batch_gather(batch, rows, ROWS);
    augmenter_run(&augmenter, batch, step, parallel);
    augmenter_finish(&augmenter);
}

Test(augmentations, depend_on_the_step_and_not_on_the_threads) {
    SampleData data = sample_blobs(ROWS, 3);
    Dataset *dataset = sample_dataset(&data);
    Issues none;
    issues_init(&none);
    Job *job;
    cr_assert_eq(
        job_create(json_value(&sample_arena, "{" IMAGES ", \"training\": {\"augment\": [\"noise\","
                                             " \"flip_vertical\", {\"type\": \"rotate\"}]}}"),
                   dataset, 3, &none, &job),
        OK);
    issues_finish(&none);
    Scalers scalers;
    cr_assert_eq(scalers_fit(job, &scalers), OK);
    Parallel *parallel;
    cr_assert_eq(parallel_create(3, &parallel), OK);
    Batch alone, together, later;
    gather(job, &scalers, 7, NULL, &alone);
    gather(job, &scalers, 7, parallel, &together);
    gather(job, &scalers, 8, NULL, &later);
    cr_assert_arr_eq(alone.inputs.data, together.inputs.data, ROWS * 4 * sizeof(Real));
    for (int i = 0; i < ROWS; i++) {
        cr_assert_arr_neq(alone.inputs.data + (size_t)i * 4, later.inputs.data + (size_t)i * 4,
                          4 * sizeof(Real));
        if (i > 0)
            cr_assert_neq(alone.inputs.data[i * 4], alone.inputs.data[i * 4 - 4]);
    }
    batch_finish(&alone);
    batch_finish(&together);
    batch_finish(&later);
    parallel_destroy(parallel);
    scalers_finish(&scalers);
    job_destroy(job);
    dataset_close(dataset);
}
