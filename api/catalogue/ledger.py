"""Problems of the books."""

from api.problems import Problem

PROBLEMS = {
    "period-invalid": Problem(
        en=(
            "Not a period",
            (
                "{period} is no month of the books: it has not begun yet, or lies before them;"
                " give one such as 2026-01."
            ),
        ),
        zh=(
            "期間錯誤",
            "{period} 不是帳上的月份：尚未開始、早於開帳，或格式有誤，請輸入如 2026-01。",
        ),
    ),
    "period-closed": Problem(
        en=("Period closed", "The books of this month are closed. Take a later month."),
        zh=("期間已結帳", "此月份已結帳，請改用之後的月份。"),
    ),
    "period-not-over": Problem(
        en=("Month not over", "{period} is not over everywhere on earth yet."),
        zh=("月份尚未結束", "{period} 在全球各地尚未全部結束。"),
    ),
    "period-out-of-order": Problem(
        en=("Not its turn", "Months are closed one after the other: it is the turn of {next}."),
        zh=("順序不符", "月份須依序結帳，目前輪到 {next}。"),
    ),
    "period-state": Problem(
        en=("Not in this state", "The month, in version {version}, is {state}."),
        zh=("狀態不符", "此月份第 {version} 版目前為{state}。"),
        words={
            "state": {
                "open": (
                    "open: soft-close it, then close it; an export before takes provisional=true",
                    "開放：請先初步關帳，再關帳；關帳前匯出請加上 provisional=true",
                ),
                "soft": (
                    "soft-closed: close it next; an export before takes provisional=true",
                    "初步關帳：下一步是關帳；關帳前匯出請加上 provisional=true",
                ),
                "closed": (
                    "closed: only a reopening, by two people, changes that",
                    "已關帳：如需變更，須由兩人辦理重開",
                ),
            }
        },
    ),
    "two-people": Problem(
        en=("Two people", "Who proposed it cannot approve it: somebody else has to."),
        zh=("須由兩人辦理", "提出者不能自行核准，請由另一人核准。"),
    ),
    "reopening-out-of-order": Problem(
        en=("Not the latest", "Only the latest closed month can be reopened: that is {latest}."),
        zh=("不是最近關帳的月份", "只能重開最近關帳的月份，目前為 {latest}。"),
    ),
    "reopening-exists": Problem(
        en=("Proposed before", "Reopening this version of the month was proposed already."),
        zh=("已提出", "此月份的這個版本已有人提出重開。"),
    ),
    "reopening-ended": Problem(
        en=("Already decided", "This was approved before, or the month has changed since."),
        zh=("已處理", "此提案已核准，或該月份之後已有變動。"),
    ),
    "account-unknown": Problem(
        en=("Unknown account", "The chart of accounts has no account {account}."),
        zh=("查無科目", "會計科目表中沒有 {account}。"),
    ),
    "account-exists": Problem(
        en=("Account exists", "The chart of accounts has an account of this code already."),
        zh=("科目已存在", "會計科目表中已有此代碼。"),
    ),
    "account-not-adjustable": Problem(
        en=("Not adjusted by hand", "{account} is {instead}."),
        zh=("不可人工調整", "{account} 是{instead}。"),
        words={
            "instead": {
                "cups": (
                    "what is owed for cups in wallets: change it by what moves cups",
                    "錢包中未取杯數的負債，只能隨杯數異動變更",
                ),
                "estimate": (
                    "what is estimated never to be collected: change it by an estimate of breakage",
                    "估計不會兌換的部分，只能以未兌換估計變更",
                ),
                "refunds": (
                    "what payers are to get back: change it by a refund",
                    "應退還付款人的款項，只能以退費變更",
                ),
                "disputes": (
                    "what banks hold of disputed payments: it follows the disputes",
                    "爭議中的款項，只隨爭議案件變更",
                ),
            }
        },
    ),
    "currency-unknown": Problem(
        en=("Unknown currency", "The books know no {currency}, only {currencies}."),
        zh=("查無幣別", "帳上沒有 {currency}，只有 {currencies}。"),
    ),
    "adjustment-unbalanced": Problem(
        en=("Unbalanced", "In a store's book debits are not equal to credits; see differences."),
        zh=("借貸不平衡", "有門市的借方與貸方不相等，請看 differences。"),
    ),
    "adjustment-unpaired": Problem(
        en=("Not to be paired", "Account {account} has no opposite side that fits it."),
        zh=("無法配對", "科目 {account} 沒有可配對的另一方。"),
    ),
    "adjustment-one-sided": Problem(
        en=("One-sided", "A debt between stores must change in the books of both."),
        zh=("僅單方入帳", "門市間的債權債務須在雙方帳上同時變動。"),
    ),
    "adjustment-ended": Problem(
        en=("Already decided", "This adjustment was approved or rejected before."),
        zh=("已處理", "此筆調整先前已核准或退回。"),
    ),
    "counterpart-missing": Problem(
        en=("Which other store?", "On account {account}, name the other store."),
        zh=("缺少對方門市", "科目 {account} 須指明對方門市。"),
    ),
    "settlement-exceeds-debt": Problem(
        en=("More than is owed", "The payer owes the payee {owed} {currency}."),
        zh=("超過應付金額", "付款門市目前應付收款門市 {owed} {currency}。"),
    ),
    "estimate-invalid": Problem(
        en=("Not an estimate", "A rate belongs to a proportional estimate, and only to that."),
        zh=("估計有誤", "只有比例法才有估計比率。"),
    ),
    "already-reversed": Problem(
        en=("Reversed before", "An entry is reversed once, and a reversal not at all."),
        zh=("已沖銷", "分錄只能沖銷一次，沖銷分錄不能再沖銷。"),
    ),
}
