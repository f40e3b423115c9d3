// Plays a program in a video element, by hls.js if it is there, else by the browser itself.

const TYPE = "application/vnd.apple.mpegurl";
const AGAIN_MS = 1000;
const TOKEN_STATUSES = new Set([401, 403]);

// `told`: `segment({ number, url, begin, seconds })` when one has come, `wrong(sentence, { tokenWanted })`, and `well()`.
export function play(video, program, token, told) {
  const shown = token ? `?URISigningPackage=${encodeURIComponent(token)}` : "";
  const address = `/programs/${program}/playlist.m3u8${shown}`;
  let stop = () => {};
  let stopped = false;
  begin();

  async function begin() {
    const refused = await refusal(address);
    if (stopped) return;
    if (refused) {
      told.wrong(refused.sentence, { tokenWanted: refused.tokenWanted });
      if (!refused.passing) return;
      const again = setTimeout(begin, AGAIN_MS);
      stop = () => clearTimeout(again);
      return;
    }
    told.well();
    const Hls = await library();
    if (stopped) return;
    if (Hls?.isSupported()) stop = playByLibrary(Hls, video, address, told);
    else if (video.canPlayType(TYPE)) stop = playByBrowser(video, address, told);
    else told.wrong("This browser plays no HLS by itself, and hls.js is not installed here.");
  }

  return {
    stop() {
      stopped = true;
      stop();
      video.removeAttribute("src");
      video.load();
    },
  };
}

async function library() {
  if (!document.querySelector('meta[name="player"]').content) return null;
  try {
    return (await import("/page/hls.js")).default;
  } catch {
    return null;
  }
}

// A player says of an error only that there was one: what the station has to say is asked for first.
async function refusal(address) {
  try {
    const response = await fetch(address, { method: "GET" });
    if (response.ok) return null;
    const refused = await response.json();
    return {
      sentence: sentenceOf(refused),
      passing: response.status === 503,
      tokenWanted: TOKEN_STATUSES.has(response.status) && refused.reason !== "not_published",
    };
  } catch {
    return { sentence: "The station does not answer. Trying again …", passing: true, tokenWanted: false };
  }
}

function sentenceOf({ detail, reason }) {
  const text = detail || reason.replaceAll("_", " ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function playByLibrary(Hls, video, address, told) {
  const retries = { maxNumRetry: 30, retryDelayMs: 300, maxRetryDelayMs: 2000 };
  const hls = new Hls({
    enableWorker: false,
    maxBufferLength: 15,
    maxMaxBufferLength: 20,
    backBufferLength: 60,
    // A segment that does not come is asked for again at the director, which knows by then who else has it.
    fragLoadPolicy: {
      default: { maxTimeToFirstByteMs: 4000, maxLoadTimeMs: 60000, timeoutRetry: retries, errorRetry: retries },
    },
  });
  let again = null;
  hls.on(Hls.Events.FRAG_LOADED, (_, { frag, networkDetails }) => {
    told.well();
    told.segment({ number: frag.sn, url: networkDetails?.responseURL ?? frag.url, begin: frag.start, seconds: frag.duration });
  });
  hls.on(Hls.Events.ERROR, (_, { type, fatal }) => {
    if (!fatal) return;
    if (type === Hls.ErrorTypes.MEDIA_ERROR) {
      hls.recoverMediaError();
      return;
    }
    told.wrong("The station does not answer. Trying again …");
    clearTimeout(again);
    again = setTimeout(() => hls.startLoad(), AGAIN_MS);
  });
  hls.on(Hls.Events.MANIFEST_PARSED, () => start(video));
  hls.loadSource(address);
  hls.attachMedia(video);
  return () => {
    clearTimeout(again);
    hls.destroy();
  };
}

function playByBrowser(video, address, told) {
  const wrong = () => told.wrong("The browser cannot play it on.");
  video.addEventListener("error", wrong);
  video.src = address;
  start(video);
  return () => video.removeEventListener("error", wrong);
}

// Without a person's click a browser may play only what makes no sound.
async function start(video) {
  try {
    await video.play();
  } catch (error) {
    if (error.name !== "NotAllowedError") return;
    video.muted = true;
    video.play().catch(() => {});
  }
}
