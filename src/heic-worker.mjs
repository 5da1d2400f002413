// Decodes one HEIC photo in a thread of its own, so that it can be stopped and its memory goes with it. Plain JavaScript,
// and an entry point of the bundle: Node starts it by file name, from the sources as from the bundle.
import { parentPort, workerData } from 'node:worker_threads';
import createLibheif from 'libheif-js/libheif-wasm/libheif-bundle.mjs';

const PAGE_BYTES = 64 * 1024;
const { bytes, mostPixels, longestSide, mostMemoryBytes } = workerData;

// A file can announce small pictures and unfold to large ones: the decoder gets no memory beyond this, whatever it reads.
const { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function growWithinLimit(pages) {
  if (this.buffer.byteLength + pages * PAGE_BYTES > mostMemoryBytes) throw new RangeError('out of memory');
  return grow.call(this, pages);
};

const answer = await decode();
parentPort?.postMessage(answer, answer.ok ? [answer.pixels.buffer] : []);

async function decode() {
  const libheif = await createLibheif();
  const images = new libheif.HeifDecoder().decode(bytes);
  const image = images.find((one) => one.is_primary()) ?? images[0];
  if (image === undefined) return { ok: false, reason: 'damaged' };
  const size = { width: image.get_width(), height: image.get_height() };
  if (size.width * size.height > mostPixels) return { ok: false, reason: 'too_many_pixels' };
  try {
    const decoded = libheif.heif_js_decode_image2(
      image.handle,
      libheif.heif_colorspace.heif_colorspace_RGB,
      libheif.heif_chroma.heif_chroma_interleaved_RGB,
    );
    const channel = decoded?.channels?.find(({ id }) => id === libheif.heif_channel.heif_channel_interleaved);
    return channel === undefined ? { ok: false, reason: 'damaged' } : { ok: true, ...shrink(channel, longestSide) };
  } catch {
    return { ok: false, reason: 'damaged' };
  }
}

/** Averages the pixels that fall together; never makes a picture larger. */
function shrink({ data, stride, width, height }, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  const [toWidth, toHeight] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const columns = Array.from({ length: toWidth + 1 }, (_, x) => Math.floor((x * width) / toWidth));
  const pixels = new Uint8Array(toWidth * toHeight * 3);
  for (let y = 0; y < toHeight; y += 1) {
    const top = Math.floor((y * height) / toHeight);
    const bottom = Math.floor(((y + 1) * height) / toHeight);
    for (let x = 0; x < toWidth; x += 1) {
      const [left, right] = [columns[x], columns[x + 1]];
      let [red, green, blue] = [0, 0, 0];
      for (let row = top; row < bottom; row += 1) {
        for (let at = row * stride + left * 3, end = row * stride + right * 3; at < end; at += 3) {
          red += data[at];
          green += data[at + 1];
          blue += data[at + 2];
        }
      }
      const count = (bottom - top) * (right - left);
      const to = (y * toWidth + x) * 3;
      pixels[to] = red / count + 0.5;
      pixels[to + 1] = green / count + 0.5;
      pixels[to + 2] = blue / count + 0.5;
    }
  }
  return { width: toWidth, height: toHeight, pixels };
}
