"""The package as a whole."""

import subprocess
import sys


def test_importing_it_imports_no_reading_library():
    code = (
        "import sys, voxtrail.io;"
        "heavy = {'nibabel', 'SimpleITK', 'pydicom', 'scipy', 'torch'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
