"""What a person does in napari with its nnInteractive plugin, through the plugin's own layers.

    PYTHON session.py URL SCAN.npz OUT

Run by `test_napari`, with the Python of an environment that has napari and napari-nninteractive.
SCAN holds ``array`` (z, y, x), ``spacing`` (z, y, x) and ``polygon`` (n, 3), vertices of a lasso on
one slice. Writes OUT.npz, the masks after each step, and OUT.png, a picture of the window.
"""

import sys
import time
from pathlib import Path

import numpy as np

POINT, BOX, SCRIBBLE, LASSO = range(4)


def main():
    import napari
    from napari_nninteractive.widget_main import nnInteractiveWidget
    from qtpy.QtWidgets import QApplication

    def wait(until, seconds=300):
        started = time.monotonic()
        while not until():
            QApplication.processEvents()
            time.sleep(0.02)
            if time.monotonic() - started > seconds:
                raise TimeoutError("napari did not get there")

    url, scan, out = sys.argv[1:4]
    given = np.load(scan)
    viewer = napari.Viewer(show=True)
    viewer.add_image(given["array"], name="ct", scale=given["spacing"], contrast_limits=(-200, 900))
    plugin = nnInteractiveWidget(viewer)
    viewer.window.add_dock_widget(plugin, name="nnInteractive")
    QApplication.processEvents()
    plugin.server_url_edit.setText(url)
    plugin.on_init()  # connects by itself, then sends the scan
    wait(lambda: plugin.session is not None and plugin.session.target_buffer is not None)
    wait(lambda: plugin._upload_dialog is None)

    sent = {}
    draw = plugin.session.add_lasso_interaction

    def noted(crop, positive, run=True, **options):
        sent.setdefault("crop", crop)
        sent.setdefault("bounds", np.array(options["interaction_bbox"]))
        return draw(crop, positive, run, **options)

    plugin.session.add_lasso_interaction = noted
    masks = {}

    def shown():
        return viewer.layers[plugin.label_layer_name].data.copy()

    def select(tool):
        plugin.interaction_button._uncheck()
        plugin.interaction_button._check(tool)
        plugin.on_interaction_selected()
        QApplication.processEvents()

    polygon = given["polygon"]
    z = int(polygon[0, 0])
    viewer.dims.set_point(0, z * given["spacing"][0])
    QApplication.processEvents()
    select(LASSO)
    viewer.layers[plugin.lasso_layer_name].add(polygon, shape_type="polygon")
    masks["lasso"] = shown()
    viewer.dims.set_point(0, (z + 2) * given["spacing"][0])
    for _ in range(20):
        QApplication.processEvents()
    viewer.window.screenshot(f"{out}.png", canvas_only=False)

    select(POINT)
    middle = polygon.mean(axis=0)
    viewer.layers[plugin.point_layer_name].add(np.array([z + 2, *middle[1:]]))
    masks["click"] = shown()
    plugin.on_undo()
    masks["undone"] = shown()
    plugin.on_next()  # stores the object; another one begins
    masks["next"] = shown()
    stored = next(one for one in viewer.layers if one.name.endswith("- ct"))
    masks["stored"] = stored.data

    plugin.auto_run_ckbx.setChecked(False)
    select(BOX)
    viewer.dims.set_point(0, z * given["spacing"][0])
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    corners = np.array(
        [[z, low[1], low[2]], [z, low[1], high[2]], [z, high[1], high[2]], [z, high[1], low[2]]]
    )
    viewer.layers[plugin.bbox_layer_name].add(corners, shape_type="rectangle")
    masks["box"] = shown()
    plugin.on_run()
    masks["run"] = shown()
    plugin.on_reset_interactions()
    masks["reset"] = shown()
    plugin._release_session()
    np.savez_compressed(Path(f"{out}.npz"), **masks, **sent)
    viewer.close()


if __name__ == "__main__":
    main()
