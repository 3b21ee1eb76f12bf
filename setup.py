"""What pyproject.toml cannot say: folders beside the package travel inside it in a wheel."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

BESIDE_THE_PACKAGE = ("migrations", "dialplan")


class WithWhatLiesBeside(build_py):
    """Copies the migrations, the dialplan and a regulation to start from into the package."""

    def run(self) -> None:
        """Build as usual, then add the folders."""
        super().run()
        if self.editable_mode:
            return
        package = Path(self.build_lib) / "recorder"
        for name in BESIDE_THE_PACKAGE:
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(name, package / name, dirs_exist_ok=True, ignore=ignore)
        shutil.copy("regulation.toml", package / "regulation.toml")


setup(cmdclass={"build_py": WithWhatLiesBeside}, py_modules=["ari_app"])
