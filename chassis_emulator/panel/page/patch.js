// Applies what chassis_emulator/panel/patch.py makes. What did not change stays the very same object.

export function applyPatch(value, patch) {
  if (Array.isArray(patch)) return patch[0];
  const changed = Array.isArray(value) ? [...value] : { ...value };
  for (const [key, within] of Object.entries(patch)) changed[key] = applyPatch(value[key], within);
  return changed;
}
