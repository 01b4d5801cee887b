#include "core/model/explainer.h"
#include <math.h>
#include "core/model/predictor.h"
#include "tests/core/sample.h"
#include "tests/support/near.h"

TestSuite(explainer, .init = sample_begin, .fini = sample_end);

typedef struct Result {
    int32_t targets[16];
    double attributions[16 * 128], outputs[16], baselines[16];
} Result;

static void explain(Explainer *explainer, ExplainMethod method, ExplainBaseline baseline,
                    const PredictorInput *input, int32_t target, Result *result) {
    const ExplainOptions options = {method, baseline, 512};
    const Explanation explanation = {result->targets, result->attributions, result->outputs,
                                     result->baselines};
    for (int64_t i = 0; i < input->rows; i++)
        result->targets[i] = target;
    explainer_run(explainer, &options, input, &explanation);
}

// Each gradient against (y(x + h) − y(x − h)) / 2h, in the user's unit; x · ∂y/∂x beside it; and completeness.
static void check(const Predictor *predictor, const float *rows, int64_t count, int32_t target,
                  double tolerance) {
    Explainer *explainer;
    int64_t width = predictor_input_width(predictor);
    cr_assert_eq(explainer_create(predictor, NULL, &explainer), OK);
    cr_assert_eq(explainer_width(explainer), width);
    const PredictorInput input = {.rows = count, .values = rows};
    Result gradient, product, integral, ahead, behind;
    explain(explainer, EXPLAIN_GRADIENT, BASELINE_MEAN, &input, target, &gradient);
    explain(explainer, EXPLAIN_GRADIENT_X_INPUT, BASELINE_MEAN, &input, target, &product);
    double largest = 0;
    float *moved = arena_array(&sample_arena, (size_t)(count * width), sizeof(float));
    for (int64_t c = 0; c < width; c++) {
        double scale =
            predictor_input_scaler(predictor)->factor[c % predictor_input_scaler(predictor)->width];
        double numeric[16];
        for (int side = 0; side < 2; side++) {
            memcpy(moved, rows, (size_t)(count * width) * sizeof(float));
            for (int64_t r = 0; r < count; r++)
                moved[r * width + c] += (float)((side == 0 ? 1e-3 : -1e-3) / scale);
            explain(explainer, EXPLAIN_GRADIENT, BASELINE_MEAN,
                    &(PredictorInput){.rows = count, .values = moved}, target,
                    side == 0 ? &ahead : &behind);
            for (int64_t r = 0; r < count; r++) // the step that a float could take
                numeric[r] = (side == 0 ? 0 : numeric[r]) +
                             (side == 0 ? 1 : -1) * (double)moved[r * width + c];
        }
        for (int64_t r = 0; r < count; r++) {
            double found = gradient.attributions[r * width + c];
            double expected = (ahead.outputs[r] - behind.outputs[r]) / numeric[r];
            largest = fmax(largest, fabs(expected / scale));
            cr_assert_float_eq(found / scale, expected / scale, tolerance,
                               "row %d, column %d: %g, %g", (int)r, (int)c, found / scale,
                               expected / scale);
            cr_assert_float_eq(product.attributions[r * width + c],
                               found * (double)rows[r * width + c],
                               1e-6 * (1 + fabs(product.attributions[r * width + c])));
        }
    }
    cr_assert_gt(largest, 1e-3, "the net must hang on its inputs");
    for (int b = 0; b < 2; b++) {
        explain(explainer, EXPLAIN_INTEGRATED_GRADIENTS, (ExplainBaseline)b, &input, target,
                &integral);
        for (int64_t r = 0; r < count; r++) {
            double sum = 0, difference = integral.outputs[r] - integral.baselines[r];
            for (int64_t c = 0; c < width; c++)
                sum += integral.attributions[r * width + c];
            cr_assert_float_eq(sum, difference, 0.02 * (0.1 + fabs(difference)),
                               "baseline %d: %g, %g", b, sum, difference);
        }
    }
    explainer_destroy(explainer);
}

static void check_classes(const char *layers) {
    char spec[600];
    SampleData data = sample_blobs(60, 3);
    Dataset *dataset = sample_dataset(&data);
    snprintf(spec, sizeof spec, "{\"model\": %s, \"training\": {\"epochs\": 8}}", layers);
    Job *job = sample_job(dataset, spec);
    Predictor *predictor = sample_predictor(job, layers, 64);
    check(predictor, data.inputs, 12, 1, 1e-4);
    predictor_destroy(predictor);
    job_destroy(job);
    dataset_close(dataset);
}

Test(explainer, agrees_with_central_differences_through_dense_layers) {
    check_classes("{\"layers\": [{\"type\": \"dense\", \"units\": 8, \"activation\": \"tanh\"},"
                  " {\"type\": \"dense\", \"units\": 3}]}");
}

Test(explainer, runs_as_outside_training) {
    check_classes("{\"layers\": [{\"type\": \"dense\", \"units\": 8, \"activation\": \"gelu\"},"
                  " {\"type\": \"batch_norm\"}, {\"type\": \"dropout\", \"rate\": 0.5},"
                  " {\"type\": \"dense\", \"units\": 3}]}");
}

Test(explainer, goes_through_residuals_and_frozen_layers) {
    check_classes(
        "{\"layers\": [{\"type\": \"dense\", \"units\": 6, \"activation\": \"tanh\", "
        "\"trainable\": "
        "false}, {\"type\": \"residual\", \"layers\": [{\"type\": \"layer_norm\"}, {\"type\": "
        "\"dense\", \"units\": 6, \"activation\": \"swish\"}]}, {\"type\": \"dense\", \"units\": "
        "3}]}");
}

Test(explainer, goes_through_convolutions_and_recurrence) {
    check_classes("{\"layers\": [{\"type\": \"reshape\", \"shape\": [4, 1]}, {\"type\": "
                  "\"conv1d\", \"filters\": 4, "
                  "\"kernel_size\": 2, \"activation\": \"tanh\"}, {\"type\": \"lstm\", \"units\": "
                  "5}, {\"type\": "
                  "\"dense\", \"units\": 3}]}");
}

Test(explainer, tells_numbers_in_the_targets_unit) {
    static const char layers[] = "{\"layers\": [{\"type\": \"dense\", \"units\": 2}]}";
    SampleData data = sample_line(100);
    Dataset *dataset = sample_dataset(&data);
    Job *job =
        sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 2}]},"
                            " \"training\": {\"epochs\": 200, \"optimizer\": {\"type\": \"adam\","
                            " \"learning_rate\": 0.05}}}");
    Predictor *predictor = sample_predictor(job, layers, 64);
    check(predictor, data.inputs, 8, 0, 2e-2);
    Explainer *explainer;
    Result result;
    cr_assert_eq(explainer_create(predictor, NULL, &explainer), OK);
    explain(explainer, EXPLAIN_GRADIENT, BASELINE_MEAN,
            &(PredictorInput){.rows = 1, .values = data.inputs}, 0, &result);
    assert_near(result.attributions[0], 30, 0.5); // y = 1000 + 30 a − 20 b
    assert_near(result.attributions[1], -20, 0.5);
    assert_near(result.attributions[2], 0, 0.5);
    explainer_destroy(explainer);
    predictor_destroy(predictor);
    job_destroy(job);
    dataset_close(dataset);
}

Test(explainer, tells_two_classes_of_one_output_with_their_signs) {
    static const char layers[] = "{\"layers\": [{\"type\": \"dense\", \"units\": 1}]}";
    SampleData data = sample_blobs(60, 2);
    Dataset *dataset = sample_dataset(&data);
    Job *job =
        sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 1}]},"
                            " \"training\": {\"loss\": \"binary_cross_entropy\"}}");
    Predictor *predictor = sample_predictor(job, layers, 64);
    Explainer *explainer;
    Result first, second, own;
    const PredictorInput input = {.rows = 4, .values = data.inputs};
    cr_assert_eq(explainer_create(predictor, NULL, &explainer), OK);
    explain(explainer, EXPLAIN_GRADIENT, BASELINE_MEAN, &input, 0, &first);
    explain(explainer, EXPLAIN_GRADIENT, BASELINE_MEAN, &input, 1, &second);
    explain(explainer, EXPLAIN_GRADIENT, BASELINE_MEAN, &input, EXPLAIN_PREDICTED, &own);
    for (int i = 0; i < 16; i++)
        assert_near(first.attributions[i], -second.attributions[i], 1e-12);
    for (int r = 0; r < 4; r++) {
        cr_assert_eq(own.targets[r], second.outputs[r] > 0);
        cr_assert_gt(own.outputs[r], 0);
    }
    explainer_destroy(explainer);
    predictor_destroy(predictor);
    job_destroy(job);
    dataset_close(dataset);
}
