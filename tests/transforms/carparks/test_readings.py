from __future__ import annotations

import pyarrow as pa

from transforms.carparks.readings import reading_rows


def test_memory_grows_with_the_readings_of_an_answer_and_not_with_their_square() -> None:
    lots = [{"lot_type": kind, "total_lots": "60", "lots_available": "5"} for kind in "CY"]
    parks = [
        {"carpark_number": f"C{n}", "update_datetime": "2024-05-04T08:58:10", "carpark_info": lots} for n in range(2000)
    ]
    items = [{"timestamp": "2024-05-04T09:00:00+08:00", "carpark_data": parks}]
    batch = pa.RecordBatch.from_pylist([{"items": items, "_source_file": 0, "_source_offset": 0}])
    before = pa.default_memory_pool()
    measured = pa.proxy_memory_pool(before)
    pa.set_memory_pool(measured)
    try:
        rows = reading_rows(batch).num_rows
    finally:
        pa.set_memory_pool(before)
    assert rows == 4000
    # Some megabytes; with the list of all car parks for each reading it was hundreds.
    assert (measured.max_memory() or 0) < 32 << 20
