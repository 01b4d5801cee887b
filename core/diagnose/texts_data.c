// What is found before a run without a rule: in a dataset's profile, as facts about the data, and of a model to start from.
#include <stddef.h>
#include "core/diagnose/texts_private.h"

const TextEntry text_data[] = {
    {"finding.class_imbalance.data",
     {"The class \"{largest}\" has {ratio} times as many rows as \"{smallest}\": a model that "
      "ignores the small classes looks better than it is.",
      "クラス「{largest}」の行は「{smallest}」の {ratio} "
      "倍です。小さいクラスを無視するモデルが実際より良く見えます。"}},
    {"finding.constant_feature.data",
     {"{count#} of the features have one and the same value in every row: nothing can be learned "
      "from them.",
      "{count#} 個の特徴はすべての行で同じ値で、そこからは何も学べません。"}},
    {"finding.empty_texts.data",
     {"{texts#} texts have no token: the model sees nothing of them.",
      "{texts#} 個の文章にはトークンがなく、モデルには何も見えません。"}},
    {"finding.initial_vocabulary",
     {"The dataset numbers its tokens otherwise than the one that model {model} learned from: its "
      "embeddings and outputs stand for other tokens here.",
      "このデータセットのトークン番号は、モデル {model} "
      "が学んだものと異なります。その埋め込みと出力はここでは別のトークンを指します。"}},
    {"finding.initial_weights",
     {"{copied#} of the {weights#} weights start from model {model}. The other {missing#}, {first} "
      "{shape} among them, do not: that model has none of the name and shape.",
      "{weights#} 個の重みのうち {copied#} 個はモデル {model} から始まります。残りの {missing#} "
      "個({first} {shape} など)は、名前と形の合うものがそのモデルにありません。"}},
    {"finding.isolated_nodes.data",
     {"{nodes#} nodes have no edge: nothing is learned of them but from their own features.",
      "{nodes#} 個のノードには辺がなく、自身の特徴からしか学べません。"}},
    {"finding.missing_values.data",
     {"{count#} of the features have missing values, at most {greatest_fraction%} of the rows in "
      "one of them. Numbers are filled in with the training mean, categories keep a place for what "
      "is missing.",
      "{count#} 個の特徴に欠測値があり、一つの特徴で最大 {greatest_fraction%} "
      "の行に及びます。数値は訓練行の平均で補い、カテゴリには欠測のための場所を設けます。"}},
    {"finding.repeated_edges.data",
     {"{edges#} edges stood there before, perhaps the other way round: each counts once.",
      "{edges#} 本の辺は(逆向きも含め)重複しており、一度だけ数えます。"}},
    {"finding.self_loops.data",
     {"{edges#} edges lead from a node to itself and were dropped: the layers that look at a node "
      "itself do so anyway.",
      "{edges#} "
      "本の辺は自分自身に向かうため取り除きました。ノード自身を見る層は辺がなくても見ます。"}},
    {"finding.task_inferred.data",
     {"The targets are whole numbers of at least {distinct_at_least#} distinct values, so they are "
      "taken for quantities to be predicted, not for classes. \"task\": \"classification\" says "
      "otherwise.",
      "目標値は {distinct_at_least#} "
      "種類以上の整数なので、クラスではなく予測すべき量とみなしました。クラスなら \"task\": "
      "\"classification\" と指定します。"}},
    {"finding.texts_cut.data",
     {"{texts#} texts have more than {max_length#} tokens (max_length), at most {longest#}: what "
      "lies behind is not seen.",
      "{texts#} 個の文章は {max_length#} トークン(max_length)より長く、最長は {longest#} "
      "です。その先は読まれません。"}},
    {"finding.unknown_tokens.data",
     {"{share%} of the tokens are outside the vocabulary of {vocabulary#} and all look alike to "
      "the model. A larger vocabulary_size tells more of them apart.",
      "トークンの {share%} は {vocabulary#} "
      "語の語彙になく、モデルには区別がつきません。vocabulary_size "
      "を大きくするとより多くを区別できます。"}},
    {NULL, {NULL, NULL}},
};
