import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// Names without hashes: the built page is committed, and a change of one file should show as one.
export default defineConfig({
  base: "./",
  resolve: {
    alias: [
      {
        // 1.4 MB of WebAssembly for Zarr images; NiiVue shows only meshes here.
        find: /^numcodecs\/(blosc|lz4|zstd)$/,
        replacement: fileURLToPath(new URL("src/views/no_codec.ts", import.meta.url)),
      },
    ],
  },
  build: {
    outDir: "../src/voxtrail/serve/page",
    emptyOutDir: true,
    target: "es2022",
    // What is built in here is others' work, too: their licences go with it.
    license: { fileName: "assets/licenses.txt" },
    modulePreload: { polyfill: false },
    // The server's content-security policy allows no data: scripts or styles; nothing is inlined.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4000, // NiiVue, which is fetched when the 3D view is first shown
    rollupOptions: {
      output: {
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
});
