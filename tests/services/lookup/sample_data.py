"""Three car parks as the carparks job publishes them: read, without reading, without information."""

from __future__ import annotations

import pathlib

PARKS = "".join(
    [
        "car_park_no,address,x_coord,y_coord,car_park_type,type_of_parking_system,short_term_parking,free_parking,",
        "night_parking,car_park_decks,gantry_height,car_park_basement,",
        "total_lots,available_lots,lot_types,updated_at,stale\n",
        'A10,"BLK 101, ANG MO KIO AVENUE 3",1.5,2.5,SURFACE CAR PARK,ELECTRONIC PARKING,WHOLE DAY,NO,YES,0,1.80,N,',
        "91,22,C Y,2021-05-23T17:23:34+08:00,false\n",
        "A11,BLK 5 ANG MO KIO STREET 61,1.5,2.5,BASEMENT CAR PARK,COUPON PARKING,NO,NO,NO,0,0.00,N,NA,NA,NA,NA,NA\n",
        "HE12,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,1,50,H,2016-02-15T21:52:35+08:00,true\n",
    ]
)
LOTS = """\
car_park_no,lot_type,total_lots,available_lots,updated_at,age_seconds,stale,impossible
A10,C,81,20,2021-05-23T17:23:34+08:00,1012,false,false
A10,Y,10,2,2021-05-23T17:23:34+08:00,1012,false,false
HE12,H,1,50,2016-02-15T21:52:35+08:00,166131471,true,true
"""


def write(folder: pathlib.Path) -> str:
    """Writes both files into the folder and returns it as text."""
    (folder / "carparks.csv").write_text(PARKS)
    (folder / "carpark_lots.csv").write_text(LOTS)
    return str(folder)
