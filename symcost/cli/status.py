"""Exit statuses: nothing wrong; a formula differs or nothing fits; a wrong call, which wins over these."""

RIGHT, DIFFERS, WRONG = 0, 1, 2
