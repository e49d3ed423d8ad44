"""The day's budget, as a person fills it in."""

from datetime import date

import openpyxl

book = openpyxl.Workbook()
book.worksheets[0].append(["Read the other sheet"])
sheet = book.create_sheet("Budget")
DAY = date(2024, 3, 5)
for row in (
    ["Budget of March"],
    [],
    ["shop", "day", "amount"],
    ["AA", DAY, 12.5],
    ["BB", "05.03.2024", "7,25"],
    ["CC", DAY, "#DIV/0!"],
    [],
    ["DD", DAY, 1],
    [None, DAY, 2],
    ["EE", DAY, 100],
    ["Sum", None, "=SUM(C4:C10)"],
):
    sheet.append(row)
sheet.merge_cells("A8:A9")
sheet["A500"].number_format = "0.00"
book.save("f_2024-03-05.xlsx")
