"""`partner-jobs lookup` looks up car parks."""

import sys

from services.lookup.main import main

sys.exit(main())
