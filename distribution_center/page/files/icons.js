// The page's drawings.

import { STATES, drawIcons } from "/shared/icons.js";

export const { icon, changingIcon } = drawIcons({
  ...STATES,
  open: "M3 5l5 5.5L13 5l1.2 1.2L8 13 1.8 6.2z",
  film: "M1.5 2.5h13v11h-13zM3 4v2h2V4zm0 3.2v1.8h2V7.2zM3 10.2V12h2v-1.8zM11 4v2h2V4zm0 3.2v1.8h2V7.2zm0 3V12h2v-1.8zM6.2 4v3.4h3.6V4zm0 4.6V12h3.6V8.6z",
});
