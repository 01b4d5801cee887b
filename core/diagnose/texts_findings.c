// What is wrong, and by which mechanism: the explanations of the findings.
#include <stddef.h>
#include "core/diagnose/texts_private.h"

const TextEntry text_findings[] = {
    {"finding.learning_rate_too_high.diverged",
     {"The loss began at {first_loss} and the run ended at {loss!}. With a learning rate of "
      "{learning_rate} each step overshoots the "
      "minimum and lands higher up, where the slope is steeper and the next step longer still.",
      "損失は {first_loss} から始まり、{loss!} で終わりました。学習率 {learning_rate} "
      "では一歩ごとに最小点を飛び越えて斜面のより高い側に着地し、"
      "そこでは傾きが急なので次の一歩はさらに長くなります。"}},
    {"finding.learning_rate_too_high.thrown",
     {"The first updates changed the weights of layer \"{layer}\" by {update_ratio_early%} of "
      "their size per step (healthy: about 0.1 %). "
      "They are replaced rather than corrected; units end up dead or saturated, and the loss "
      "stands at {loss}.",
      "最初の更新で層「{layer}」の重みは一歩ごとにその大きさの {update_ratio_early%} "
      "も変わりました(健全な値は約 0.1 %)。重みは修正ではなく"
      "置き換えられ、ユニットは死ぬか飽和し、損失は {loss} にとどまっています。"}},
    {"finding.learning_rate_too_high.swings",
     {"Updates are still {update_ratio_late%} of the weights per step late in the run, and the "
      "result swings ({swings#} turns in "
      "{epochs#} epochs) instead of settling: at a learning rate of {learning_rate} the run jumps "
      "around the minimum.",
      "学習の終盤でも更新は一歩あたり重みの {update_ratio_late%} "
      "あり、結果は落ち着かず振動しています({epochs#} エポック中 {swings#} 回の反転)。"
      "学習率 {learning_rate} では最小点のまわりを跳び回ります。"}},
    {"finding.learning_rate_too_low.still",
     {"Over {steps#} steps the weights moved by only {travel%} of their own length: the net is "
      "still nearly what chance made it. The loss "
      "went from {first_loss} to {loss}. The learning rate, {learning_rate} at the end, is too low "
      "for so few steps.",
      "{steps#} ステップの間に重みは自分の長さの {travel%} "
      "しか動かず、ネットはほぼ乱数のままです。損失は {first_loss} から {loss} になりました。"
      "終盤の学習率 {learning_rate} は、このステップ数には低すぎます。"}},
    {"finding.learning_rate_too_low.slow",
     {"The loss still falls, from {first_loss} to {loss}, but updates are only {update_ratio%} of "
      "the weights per step, so {steps#} steps "
      "did not suffice. A higher learning rate gets there in the same time.",
      "損失は {first_loss} から {loss} へまだ下がっていますが、更新は一歩あたり重みの "
      "{update_ratio%} しかなく、{steps#} ステップでは足りません。"
      "学習率を上げれば同じ時間で到達します。"}},
    {"finding.vanishing_gradient.squashing",
     {"On its way back through {hidden_layers#} hidden layers, {squashing_layers#} of them with a "
      "bounded activation, the gradient is "
      "multiplied by a slope below 1 each time (a sigmoid's is at most 0.25). What reaches layer "
      "\"{layer}\" is {ratio} of what the output "
      "layer gets: it hardly learns.",
      "勾配は {hidden_layers#} 個の隠れ層(うち {squashing_layers#} "
      "個は有界な活性化関数)を逆にたどるたびに 1 未満の傾きを掛けられます"
      "(シグモイドでは最大 0.25)。層「{layer}」に届くのは出力層の {ratio} "
      "倍にすぎず、ほとんど学習しません。"}},
    {"finding.vanishing_gradient.deep",
     {"What reaches layer \"{layer}\" is {ratio} of the gradient that the output layer gets: on "
      "the way through {hidden_layers#} hidden "
      "layers it dies out, and the lower layers hardly learn.",
      "層「{layer}」に届く勾配は出力層の {ratio} 倍です。{hidden_layers#} "
      "個の隠れ層を通る間に消え、下の層はほとんど学習しません。"}},
    {"finding.exploding_gradient.depth",
     {"The gradient of layer \"{layer}\" ({gradient_norm}) is far larger than the output layer's "
      "({output_gradient_norm}): each layer on the "
      "way back multiplies it. One step then throws the lower layers off.",
      "層「{layer}」の勾配({gradient_norm})は出力層({output_gradient_norm})"
      "よりはるかに大きく、逆にたどる層ごとに増幅されています。"
      "一歩で下の層が吹き飛びます。"}},
    {"finding.exploding_gradient.spike",
     {"The gradient's norm rose from {first} at the first step to {peak}: somewhere the loss is as "
      "steep as a cliff, and one step there "
      "undoes what many had learned.",
      "勾配のノルムは最初の {first} から {peak} "
      "まで上がりました。損失が崖のように急な所があり、そこでの一歩が多くの学習を台無しにします"
      "。"}},
    {"finding.non_finite",
     {"At step {step#} the loss is {loss!} and the gradient's norm {gradient_norm!}: numbers have "
      "left what a computer can hold, first in the "
      "{tensor} of layer \"{layer}\". Weights updated with them would be lost for good. The usual "
      "cause is a learning rate that is too high; "
      "next come inputs or targets that are not scaled, and large initial weights.",
      "ステップ {step#} で損失は {loss!}、勾配のノルムは {gradient_norm!} "
      "となり、計算機で表せる数の範囲を外れました。最初に現れたのは層「{layer}」の{tensor}"
      "です。そのまま更新すれば重みは失われます。多くの場合は学習率が高すぎるため、次いで入力や目標"
      "値の未調整、大きすぎる初期値が原因です。"}},
    {"finding.dead_units.layer",
     {"{dead%} of the units of layer \"{layer}\" are 0 for every row. A ReLU that never fires "
      "passes no gradient, so it never comes back, and "
      "nothing below it learns: the net gives the same answer to everything.",
      "層「{layer}」のユニットの {dead%} がすべての行で 0 です。発火しない ReLU "
      "は勾配を通さないので二度と戻らず、その下の層も学習せず、"
      "ネットは何に対しても同じ答えを出します。"}},
    {"finding.dead_units.many",
     {"In {layers_half_dead#} of {layers#} ReLU layers half the units or more never fire, in layer "
      "\"{layer}\" {dead%}. They pass no "
      "gradient and never come back: the net is much narrower than it looks.",
      "{layers#} 個の ReLU 層のうち {layers_half_dead#} "
      "個で半分以上のユニットが一度も発火せず、層「{layer}」では {dead%} です。勾配を通さないので"
      "戻ることもなく、ネットは見かけよりずっと狭くなっています。"}},
    {"finding.saturated_units.from_start",
     {"{saturated%} of the outputs of layer \"{layer}\" sit at the activation's bounds, "
      "{saturated_early%} from the first steps on. There its "
      "slope is nearly 0, so no gradient passes: the sums before it are too large, from large "
      "inputs or large initial weights.",
      "層「{layer}」の出力の {saturated%} が活性化関数の限界にあり、最初のステップからすでに "
      "{saturated_early%} でした。そこでは傾きがほぼ 0 で"
      "勾配が通りません。入力か初期の重みが大きく、手前の和が大きすぎます。"}},
    {"finding.saturated_units.grown",
     {"{saturated%} of the outputs of layer \"{layer}\" have come to sit at the activation's "
      "bounds, where its slope is nearly 0. Steps too "
      "long have driven the weights there, and no gradient leads back.",
      "層「{layer}」の出力の {saturated%} が活性化関数の限界に張り付き、そこでは傾きがほぼ 0 "
      "です。長すぎる一歩が重みをそこへ追いやり、"
      "戻す勾配はありません。"}},
    {"finding.symmetric_units",
     {"{equal%} of the units of layer \"{layer}\" started with the same weights as another and "
      "still have them. Equal units get equal "
      "gradients, so they stay equal for ever: the layer is as wide as one unit. Random initial "
      "weights break the tie.",
      "層「{layer}」のユニットの {equal%} "
      "は他のユニットと同じ重みで始まり、今も同じです。等しいユニットは等しい勾配を受けるので永遠に"
      "等しく、"
      "層の幅は一つ分しかありません。乱数の初期値がこの対称性を破ります。"}},
    {"finding.initial_weights_too_small",
     {"The weights of layer \"{layer}\" start at {scale} times the size that its initialiser "
      "should give ({typical_scale} over all layers). "
      "Each layer shrinks the signal, and on the way back the gradient, by as much; what reaches "
      "the output deviates by only {output_std}.",
      "層「{layer}」の重みは本来の初期値の {scale} 倍の大きさで始まっています(全層では "
      "{typical_scale} 倍)。信号も、逆向きの勾配も、層ごとにその分だけ"
      "縮み、出力のばらつきは {output_std} しかありません。"}},
    {"finding.initial_weights_too_large",
     {"The weights of layer \"{layer}\" start at {scale} times the size that its initialiser "
      "should give ({typical_scale} over all layers). "
      "The signal grows with every layer: the outputs deviate by {output_std} at step 1 and the "
      "first loss is {first_loss}. The net is sure "
      "before it has seen anything.",
      "層「{layer}」の重みは本来の初期値の {scale} 倍の大きさで始まっています(全層では "
      "{typical_scale} 倍)。信号は層ごとに膨らみ、最初のステップで"
      "出力のばらつきは {output_std}、損失は {first_loss} "
      "でした。何も見ないうちから確信しています。"}},
    {"finding.frozen_layers.by_spec",
     {"{frozen#} of {layers#} layers, first \"{layer}\", have \"trainable\": false, and their "
      "weights are random: they pass the others "
      "features that nobody chose.",
      "{layers#} 層のうち {frozen#} 層(最初は「{layer}」)は \"trainable\": false "
      "で、重みは乱数のままです。誰も選んでいない特徴を他の層に渡しています。"}},
    {"finding.frozen_layers.by_ratio",
     {"Layer \"{layer}\" moved {ratio} times as much as the layer that moves most: it stands still "
      "while the others learn, so they build on "
      "random features.",
      "層「{layer}」の動きは最もよく動く層の {ratio} "
      "倍です。他の層が学習する間も止まったままで、他の層は乱数の特徴の上に組み立てています。"}},
    {"finding.overfitting.turned",
     {"Since epoch {best_epoch#} of {epochs#} the validation loss rises, from {best_val_loss} to "
      "{val_loss}, while the training loss goes on "
      "to {train_loss}: the net, with {parameters#} parameters for {rows#} rows, now learns the "
      "rows by heart instead of what they share.",
      "{epochs#} エポック中 {best_epoch#} エポック目から検証損失は {best_val_loss} から {val_loss} "
      "へ上がり、訓練損失は {train_loss} まで下がり続けています。"
      "{rows#} 行に対しパラメータ {parameters#} "
      "個のネットは、共通点ではなく行そのものを暗記しています。"}},
    {"finding.overfitting.gap",
     {"The training loss is {train_loss} and the validation loss {val_loss} (best: "
      "{best_val_loss}, epoch {best_epoch#}): what is learned "
      "holds for the {rows#} training rows and not for others.",
      "訓練損失は {train_loss}、検証損失は {val_loss} です(最良は {best_epoch#} エポックの "
      "{best_val_loss})。学んだことは {rows#} 行の訓練データにだけ"
      "当てはまります。"}},
    {"finding.over_regularized.decay",
     {"A weight decay of {weight_decay} pulls at the weights {pull} times as hard as the data "
      "does; {weights_left%} of their first length is "
      "left. The net settles near 0 instead of near the answer.",
      "重み減衰 {weight_decay} はデータの {pull} 倍の力で重みを引き戻し、長さは最初の "
      "{weights_left%} になりました。ネットは答えではなく 0 の近くに"
      "落ち着きます。"}},
    {"finding.over_regularized.dropout",
     {"Dropout leaves out {dropout%} of the units at every step. What is left is too little to "
      "carry the signal, and training sees more "
      "noise than data.",
      "ドロップアウトは毎ステップ {dropout%} "
      "のユニットを落とします。残りでは信号を運べず、学習はデータより雑音を見ています。"}},
    {"finding.over_regularized.smoothing",
     {"Label smoothing of {label_smoothing} spreads most of each target over all classes: the net "
      "is asked to be unsure, and is.",
      "ラベル平滑化 {label_smoothing} "
      "は目標の大部分を全クラスに分散させます。ネットは迷うように求められ、そのとおり迷っています"
      "。"}},
    {"finding.noisy_gradient",
     {"With {batch_size#} rows in a batch each step follows single rows: the loss scatters by "
      "{scatter} times its level, and updates of "
      "{update_ratio%} of the weights undo each other. A larger batch averages the noise away.",
      "バッチが {batch_size#} 行では一歩ごとに個々の行に従います。損失はその水準の {scatter} "
      "倍散らばり、重みの {update_ratio%} の更新が互いに"
      "打ち消し合います。バッチを大きくすれば雑音は平均されて消えます。"}},
    {"finding.missing_nonlinearity.some",
     {"Layer \"{layer}\" goes straight into the next with nothing between ({pairs#} such "
      "place(s)): two linear maps in a row are one, so the "
      "layer adds parameters but nothing that the net can say.",
      "層「{layer}」は間に何も挟まずに次の層へ続きます(全 {pairs#} "
      "か所)。続く二つの線形写像は一つと同じなので、パラメータが増えるだけで"
      "表せることは増えません。"}},
    {"finding.missing_nonlinearity.all",
     {"No activation stands between the layers, from \"{layer}\" on: however deep, the whole net "
      "is one linear map and can only draw straight "
      "borders.",
      "層「{layer}"
      "」以降、層の間に活性化関数がありません。どれほど深くても全体は一つの線形写像で、まっすぐな境"
      "界しか引けません。"}},
    {"finding.wrong_output_activation.twice",
     {"Layer \"{layer}\" ends in {activation}, and {loss} applies {activation} to the outputs once "
      "more. So the outputs are squeezed twice, "
      "the loss cannot get near 0 and the gradients shrink. Give the last layer a linear "
      "activation: predictions still come as "
      "probabilities.",
      "層「{layer}」は {activation} で終わり、{loss} が出力にもう一度 {activation} "
      "を掛けます。二重に押しつぶされるため損失は 0 に近づけず、勾配も"
      "縮みます。最後の層は線形にしてください。予測は確率のまま返ります。"}},
    {"finding.wrong_output_activation.clipped",
     {"Layer \"{layer}\" ends in {activation} before {loss}, which takes logits of any size and "
      "sign. What {activation} cuts off can be said "
      "no more, and where it is flat no gradient passes.",
      "層「{layer}」は {loss} の手前で {activation} "
      "で終わっています。この損失は任意の大きさと符号のロジットを取ります。{activation} "
      "が切り落とした値は"
      "表せず、平らな所では勾配が通りません。"}},
    {"finding.wrong_output_activation.bounded",
     {"The targets reach from {target_least} to {target_greatest} as the net learns them, and "
      "{activation} at the end of layer \"{layer}\" "
      "cannot give all of these. What lies beyond its range is out of reach.",
      "ネットが学ぶ目標値は {target_least} から {target_greatest} "
      "までありますが、層「{layer}」の末尾の {activation} はそのすべてを出せません。"
      "範囲の外には届きません。"}},
    {"finding.wrong_loss.delta",
     {"Huber's delta of {delta} is far below the targets' deviation of {target_std}: nearly every "
      "error counts as an outlier, and every "
      "gradient is as small as delta.",
      "Huber 損失の delta {delta} は目標値のばらつき {target_std} "
      "よりはるかに小さく、ほぼすべての誤差が外れ値扱いとなり、勾配は delta ほどしか"
      "ありません。"}},
    {"finding.wrong_loss.binary",
     {"The targets are all 0 or 1, and the net learns them through a sigmoid by {loss}: where it "
      "is sure and wrong the sigmoid is flat, so "
      "the largest mistakes give the smallest gradients. binary_cross_entropy cancels that slope.",
      "目標値はすべて 0 か 1 で、シグモイドを通して {loss} "
      "で学んでいます。自信をもって間違えた所ほどシグモイドは平らで、最大の誤りが最小の勾配を"
      "与えます。binary_cross_entropy ならこの傾きが打ち消されます。"}},
    {"finding.wrong_loss.weights",
     {"The class weights lie {class_weight_ratio} times apart, which the data does not ask for: "
      "the heavy class is all that counts.",
      "クラスの重みは {class_weight_ratio} "
      "倍も離れていますが、データはそれを求めていません。重いクラスだけが数えられます。"}},
    {"finding.initial_loss_off.classes",
     {"The first loss is {first_loss}; a net that has seen nothing should be unsure and start near "
      "{expected}, the logarithm of the number of "
      "classes. It begins sure and wrong: inputs or initial weights are too large.",
      "最初の損失は {first_loss} です。何も見ていないネットは迷っているはずで、クラス数の対数 "
      "{expected} の近くから始まります。入力か初期の重みが"
      "大きすぎ、誤った確信から始まっています。"}},
    {"finding.initial_loss_off.numbers",
     {"The first loss is {first_loss}, and the constant answer has {expected}: targets, inputs or "
      "initial weights are far from the scale that "
      "the net is made for.",
      "最初の損失は {first_loss}、定数の答えなら {expected} "
      "です。目標値、入力、初期の重みのどれかが、ネットの想定する尺度から外れています。"}},
    {"finding.no_learning",
     {"After {steps#} steps the loss is {loss}; the answer that looks at no input has "
      "{constant_loss}. The net has learned nothing from its "
      "inputs.",
      "{steps#} ステップの後の損失は {loss} で、入力を見ない答えでも {constant_loss} "
      "です。ネットは入力から何も学んでいません。"}},
    {"finding.plateau",
     {"The loss stands at {loss} (it changed by {late_change%} in the last quarter), at {closure%} "
      "of the way from the constant answer to what "
      "plain methods reach on the same rows: it is stuck, not finished.",
      "損失は {loss} で止まっています(最後の四半期の変化は "
      "{late_change%})。定数の答えから単純な手法の到達点までの {closure%} の所です。"
      "終わったのではなく、行き詰まっています。"}},
    {"finding.seed_sensitive",
     {"A stack of {layers#} ReLU layers, {narrowest#} units at the narrowest, starts with an idle "
      "layer with a probability of at least "
      "{born_dead%}: the same job learns with one seed and not with another.",
      "最も狭い所で {narrowest#} ユニットの ReLU 層が {layers#} 個続くと、少なくとも {born_dead%} "
      "の確率でまったく働かない層から始まります。"
      "同じジョブがシードしだいで学んだり学ばなかったりします。"}},
    {"finding.seed_sensitive.runs",
     {"Of {runs#} runs that differ in their seed alone {low#} lie far behind: {metric} goes from "
      "{worst} "
      "to {best}. What this job learns is a matter of luck.",
      "シードだけが異なる {runs#} 回の実行のうち {low#} 回が大きく劣ります: {metric} は {worst} "
      "から "
      "{best} まで開きます。このジョブが何を学ぶかは運しだいです。"}},
    {"finding.class_imbalance",
     {"The most frequent class has {ratio} times the rows of the rarest ({most%} against "
      "{least%}). A net that never answers the rare class is "
      "nearly always right; its recall on validation rows: {recall}.",
      "最も多いクラスの行は最も少ないクラスの {ratio} 倍です({most%} 対 "
      "{least%})。少ないクラスを一度も答えなくてもほぼ正解になります。"
      "検証行での再現率: {recall}。"}},
    {"finding.unscaled_features.inputs",
     {"Inputs reach the net with a root mean square of up to {input_scale} (the least: "
      "{input_scale_least}), and scaling is off. Large "
      "features drown the small ones, and one learning rate fits only one of them.",
      "入力の二乗平均平方根は最大 {input_scale}、最小 {input_scale_least} "
      "で、尺度の調整が切られています。大きい特徴が小さい特徴を埋もれさせ、"
      "一つの学習率はその一方にしか合いません。"}},
    {"finding.unscaled_features.targets",
     {"The targets have a mean of {target_mean} and a deviation of {target_std}, and scaling is "
      "off: the net, whose outputs start near 0, spends "
      "its steps on getting there, or is thrown by gradients of that size.",
      "目標値の平均は {target_mean}、標準偏差は {target_std} で、尺度の調整が切られています。0 "
      "付近から始まるネットはそこへ着くだけで歩数を使い果たすか、"
      "その大きさの勾配に吹き飛ばされます。"}},
    {"finding.duplicate_rows",
     {"{share%} of the {rows#} training rows looked at have a twin. They weigh as often as they "
      "occur.",
      "調べた訓練行 {rows#} 行のうち {share%} "
      "に同じ行があります。出現する回数だけ重く数えられます。"}},
    {"finding.leakage.rows",
     {"{share%} of the validation rows looked at also stand in the training rows: validation "
      "measures memory there, not learning.",
      "調べた検証行の {share%} "
      "が訓練行にもあります。そこでの検証は学習ではなく暗記を測っています。"}},
    {"finding.leakage.feature",
     {"Feature {feature#} alone tells the target without error. If it will not be known when "
      "predictions are asked for, the result is an "
      "illusion.",
      "特徴 {feature#} "
      "だけで目標値が誤りなく分かります。予測のときに知りえない値なら、この結果は幻です。"}},
    {"finding.label_noise",
     {"{share%} of the rows looked at have neighbours that nearly all belong to another class, so "
      "their labels are likely wrong: among them "
      "rows {first_row#}, {second_row#} and {third_row#}. A net that fits them learns the errors.",
      "調べた行の {share%} は近傍のほぼすべてが別のクラスで、ラベルの誤りが疑われます(例: 行 "
      "{first_row#}、{second_row#}、{third_row#})。"
      "それに合わせるネットは誤りを学びます。"}},
    {"finding.unrelated_targets",
     {"On validation rows plain methods reach {reference_metric} and the net at best "
      "{best_metric}; the constant answer has "
      "{constant_metric}. The inputs do not tell the targets: other inputs are needed, or the rows "
      "were mixed up.",
      "検証行で単純な手法は {reference_metric}、ネットは最良で {best_metric}、定数の答えは "
      "{constant_metric} です。入力から目標値は分かりません。"
      "別の入力が要るか、行の対応が崩れています。"}},
    {"finding.validation_shift.features",
     {"The mean of feature {feature#} differs between training and validation by {shift} "
      "deviations: the net is asked about what it was not "
      "shown.",
      "特徴 {feature#} の平均は訓練と検証で標準偏差の {shift} "
      "倍違います。見せていないものを尋ねています。"}},
    {"finding.validation_shift.classes",
     {"The share of a class differs between training and validation by {class_shift%} of the rows: "
      "the split is not a random one.",
      "あるクラスの割合が訓練と検証で行の {class_shift%} 違います。分割が無作為ではありません。"}},
    {"word.loss", {"loss", "損失"}},
    {"word.output", {"output", "出力"}},
    {"word.gradient", {"gradient", "勾配"}},
    {NULL, {NULL, NULL}},
};
