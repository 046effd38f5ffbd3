"""Single JSON values: strict and lenient parsing without loss of digits, dates, and columns of typed values."""
