"""Problems of e-invoices."""

from api.problems import Problem

PROBLEMS = {
    "buyer-invalid": Problem(
        en=("Not a buyer", "No invoice can be made out like this: {field}."),
        zh=("買受人資料有誤", "無法以此資料開立發票：{field}。"),
        words={
            "field": {
                "tax_id": (
                    "a tax id has eight digits, the last of which checks the others",
                    "統一編號為 8 碼數字，且檢查碼須正確",
                ),
                "carrier": (
                    (
                        "a carrier is a mobile barcode such as /ABC+123, or a certificate's two"
                        " letters and fourteen digits"
                    ),
                    "載具為手機條碼（例如 /ABC+123），或自然人憑證條碼（2 碼大寫英文加 14 碼數字）",
                ),
                "donation_code": (
                    "a donation code has three to seven digits",
                    "捐贈碼為 3 至 7 碼數字",
                ),
                "several": (
                    "give a tax id, a carrier or a donation code, only one of them",
                    "統一編號、載具、捐贈碼只能擇一",
                ),
            }
        },
    ),
    "invoice-range-invalid": Problem(
        en=("Not a range", "The tax office assigns no such numbers: {field}."),
        zh=("字軌有誤", "此字軌號碼不可能由稅捐機關配發：{field}。"),
        words={
            "field": {
                "seller_tax_id": ("the tax id is wrong", "統一編號檢查碼不符"),
                "seller_address": ("the address is missing or too long", "地址空白或過長"),
                "first_on": (
                    "it holds for two months, of which the first is an odd one",
                    "期別須自單數月起，為期兩個月",
                ),
                "prefix": ("there are two capital letters", "字軌為 2 碼大寫英文字母"),
                "first_number": ("numbers have eight digits", "號碼為 8 碼數字"),
                "last_number": ("the last number comes before the first", "迄號小於起號"),
            }
        },
    ),
    "invoice-range-overlaps": Problem(
        en=("Numbers assigned before", "Some of these numbers are in another range of the period."),
        zh=("號碼重複", "部分號碼已在同一期的其他字軌範圍內。"),
    ),
}
