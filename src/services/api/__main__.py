"""`partner-jobs api` serves the read API."""

import sys

from services.api.app import main

sys.exit(main())
