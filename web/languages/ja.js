// What the page says, in Japanese. The key is the English text as it stands in the code.
export const japanese = {
};
