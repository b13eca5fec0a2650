/** In place of decoders that NiiVue brings for images we never give it (see vite.config.ts). */

export default {
  fromConfig(): never {
    throw new Error("the page reads no compressed Zarr image");
  },
};
