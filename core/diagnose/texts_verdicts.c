// What a comparison of two runs comes to ("verdict."), what is noted of inputs from elsewhere ("drift."), what a learning-rate range
// test shows ("range."), and the words of a job at a terminal ("view.").
#include <stddef.h>
#include "core/diagnose/texts_private.h"

const TextEntry text_verdicts[] = {
    {"verdict.status",
     {"{job} has not succeeded: its status is \"{status}\".",
      "{job} は成功していません(状態: {status})。"}},
    {"verdict.no_metric", {"They have no metric in common yet.", "共通の指標がまだありません。"}},
    {"verdict.metric.better",
     {"{metric} went from {from} to {to}, better by {by}.",
      "{metric} は {from} から {to} になり、{by} 良くなりました。"}},
    {"verdict.metric.worse",
     {"{metric} went from {from} to {to}, worse by {by}.",
      "{metric} は {from} から {to} になり、{by} 悪くなりました。"}},
    {"verdict.metric.same",
     {"{metric} went from {from} to {to}, no better and no worse.",
      "{metric} は {from} から {to} で、良くも悪くもなっていません。"}},
    {"verdict.same_spec",
     {"Their specs differ in nothing that matters but the seed: what they differ by is luck.",
      "仕様の違いはシードだけで、結果の差は運によるものです。"}},
    {"verdict.failed.before",
     {"{count#} of the {runs#} runs before failed.",
      "変更前の {runs#} 回のうち {count#} 回が失敗しました。"}},
    {"verdict.failed.after",
     {"{count#} of the {runs#} runs after failed.",
      "変更後の {runs#} 回のうち {count#} 回が失敗しました。"}},
    {"verdict.waiting.before",
     {"{count#} of the {runs#} runs before have not ended.",
      "変更前の {runs#} 回のうち {count#} 回がまだ終わっていません。"}},
    {"verdict.waiting.after",
     {"{count#} of the {runs#} runs after have not ended.",
      "変更後の {runs#} 回のうち {count#} 回がまだ終わっていません。"}},
    {"verdict.seeds_wanted",
     {"Whether that is more than luck takes several seeds of both: rerun with \"seeds\": 5.",
      "それが運以上のものかどうかは、両方を複数のシードで走らせるとわかります。\"seeds\": 5 "
      "で再実行してください。"}},
    {"verdict.seeds.better",
     {"Over the seeds it is {from} ± {from_std} before ({from_runs#} runs) and {to} ± {to_std} "
      "after ({to_runs#} runs), better by {by}:",
      "複数のシードで、変更前は {from} ± {from_std}({from_runs#} 回)、変更後は {to} ± "
      "{to_std}({to_runs#} 回)で、{by} 良くなりました。"}},
    {"verdict.seeds.worse",
     {"Over the seeds it is {from} ± {from_std} before ({from_runs#} runs) and {to} ± {to_std} "
      "after ({to_runs#} runs), worse by {by}:",
      "複数のシードで、変更前は {from} ± {from_std}({from_runs#} 回)、変更後は {to} ± "
      "{to_std}({to_runs#} 回)で、{by} 悪くなりました。"}},
    {"verdict.seeds.same",
     {"Over the seeds it is {from} ± {from_std} before ({from_runs#} runs) and {to} ± {to_std} "
      "after ({to_runs#} runs), no better and no worse:",
      "複数のシードで、変更前は {from} ± {from_std}({from_runs#} 回)、変更後は {to} ± "
      "{to_std}({to_runs#} 回)で、良くも悪くもなっていません。"}},
    {"verdict.exceeds.unscattered",
     {"the difference exceeds their spread (no run of either scatters).",
      "差はばらつきを超えています(どちらの結果も散らばりません)。"}},
    {"verdict.exceeds.paired",
     {"the difference exceeds their spread (paired t test, p = {p}).",
      "差はばらつきを超えています(対応のある t 検定、p = {p})。"}},
    {"verdict.exceeds.welch",
     {"the difference exceeds their spread (Welch's t test, p = {p}).",
      "差はばらつきを超えています(ウェルチの t 検定、p = {p})。"}},
    {"verdict.within.unscattered",
     {"the difference does not exceed their spread.", "差はばらつきを超えていません。"}},
    {"verdict.within.paired",
     {"the difference does not exceed their spread (paired t test, p = {p}).",
      "差はばらつきを超えていません(対応のある t 検定、p = {p})。"}},
    {"verdict.within.welch",
     {"the difference does not exceed their spread (Welch's t test, p = {p}).",
      "差はばらつきを超えていません(ウェルチの t 検定、p = {p})。"}},
    {"verdict.findings",
     {"Findings closed: {closed}; opened: {opened}.",
      "消えた所見: {closed}。新しい所見: {opened}。"}},
    {"verdict.none", {"none", "なし"}},
    {"verdict.datasets", {"They ran on different datasets.", "データセットが異なります。"}},
    {"drift.outside",
     {"These inputs do not come from where the training rows came from: in {count#} of the "
      "features ({features}) numbers are further beyond the training range than three times it.",
      "これらの入力は訓練データと同じ所から来ていません。{count#} "
      "個の特徴({features})で、数値が訓練時の範囲をその 3 倍より大きく超えています。"}},
    {"drift.spread.these",
     {"These inputs do not come from where the training rows came from: in {count#} of the "
      "features ({features}) the {rows#} rows are spread otherwise than the training rows.",
      "これらの入力は訓練データと同じ所から来ていません。{count#} 個の特徴({features})で、{rows#} "
      "行の分布が訓練行と異なります。"}},
    {"drift.spread.last",
     {"These inputs do not come from where the training rows came from: in {count#} of the "
      "features ({features}) the last {rows#} rows are spread otherwise than the training rows.",
      "これらの入力は訓練データと同じ所から来ていません。{count#} 個の特徴({features})で、最近の "
      "{rows#} 行の分布が訓練行と異なります。"}},
    {"drift.both.these",
     {"These inputs do not come from where the training rows came from: in {count#} of the "
      "features ({features}) numbers are further beyond the training range than three times it, "
      "and the {rows#} rows are spread otherwise than the training rows.",
      "これらの入力は訓練データと同じ所から来ていません。{count#} "
      "個の特徴({features})で、数値が訓練時の範囲をその 3 倍より大きく超え、{rows#} "
      "行の分布が訓練行と異なります。"}},
    {"drift.both.last",
     {"These inputs do not come from where the training rows came from: in {count#} of the "
      "features ({features}) numbers are further beyond the training range than three times it, "
      "and the last {rows#} rows are spread otherwise than the training rows.",
      "これらの入力は訓練データと同じ所から来ていません。{count#} "
      "個の特徴({features})で、数値が訓練時の範囲をその 3 倍より大きく超え、最近の {rows#} "
      "行の分布が訓練行と異なります。"}},
    {"range.none",
     {"The loss never fell reliably between the rates {from} and {to}: no rate is suggested.",
      "学習率 {from} から {to} の間で、損失が確実に下がった所はありません。推奨できる学習率は"
      "ありません。"}},
    {"range.broke_away",
     {"The loss falls fastest at a rate of {suggested}; it is least at {least} and breaks away at "
      "{to}.",
      "損失は学習率 {suggested} で最も速く下がり、{least} で最小になり、{to} で発散し始めます。"}},
    {"range.held",
     {"The loss falls fastest at a rate of {suggested}; it is least at {least} and does not break "
      "away up to {to}.",
      "損失は学習率 {suggested} で最も速く下がり、{least} で最小になり、{to} "
      "までは発散しません。"}},
    {"view.checklist", {"checklist, where attention is due", "チェックリスト(注意が必要な項目)"}},
    {"view.curves", {"curves", "曲線"}},
    {"view.error", {"error", "エラー"}},
    {"view.findings", {"findings", "所見"}},
    {"view.gradients",
     {"gradient norms, from the input to the output", "勾配ノルム(入力側から出力側へ)"}},
    {"view.layer", {"in {layer}", " 層 {layer}"}},
    {"view.next", {"next", "次のコマンド"}},
    {"view.no_findings", {"findings: none", "所見: なし"}},
    {"view.parent", {"rerun of {job}", "{job} の再実行"}},
    {"view.progress",
     {"epoch {epoch#} of {epochs#}, step {step#} of {steps#}, {samples_per_second#} rows a second",
      "エポック {epoch#}/{epochs#}、ステップ {step#}/{steps#}、毎秒 {samples_per_second#} 行"}},
    {"view.progress_to_go",
     {"epoch {epoch#} of {epochs#}, step {step#} of {steps#}, {samples_per_second#} rows a second, "
      "about {eta_seconds#} s to go",
      "エポック {epoch#}/{epochs#}、ステップ {step#}/{steps#}、毎秒 {samples_per_second#} "
      "行、残り約 {eta_seconds#} 秒"}},
    {"view.result", {"result", "結果"}},
    {"view.since", {"since step {step#}", " ステップ {step#} から"}},
    {NULL, {NULL, NULL}},
};
