// What differs between JSON values, place by place, and what a merge patch (RFC 7396) makes of one.

const plain = (value) => typeof value === 'object' && value !== null;

/** RFC 7396: null takes away, objects go into each other, anything else replaces. */
export function merged(target, patch) {
  if (!plain(patch) || Array.isArray(patch)) return patch;
  const result = plain(target) && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

/** [{path: 'model.layers.0.units', values: [16, 32]}] of every place where `values` are not all equal. */
export function differences(values, path = '') {
  if (new Set(values.map((value) => JSON.stringify(value))).size < 2) return [];
  const lists = values.every(Array.isArray);
  if (!lists && !values.every((value) => plain(value) && !Array.isArray(value))) return [{ path, values }];
  const keys = [...new Set(values.flatMap((value) => Object.keys(value)))];
  return keys.flatMap((key) =>
    differences(
      values.map((value) => value[key]),
      path ? `${path}.${key}` : key,
    ),
  );
}
