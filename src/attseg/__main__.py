"""``python -m attseg`` is ``attseg``."""

import sys

from attseg.cli import main

sys.exit(main())
