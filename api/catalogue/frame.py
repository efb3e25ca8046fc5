"""Problems of the frame: who is asking, what was sent, and what is there at all."""

from api.problems import Problem

PROBLEMS = {
    "unauthenticated": Problem(
        en=("Not signed in", "Sign in and send the token of that session."),
        zh=("尚未登入", "請先登入，並附上該次登入的憑證。"),
    ),
    "forbidden": Problem(
        en=("Not allowed", "Your role may not do this."),
        zh=("權限不足", "您的角色不能做這件事。"),
    ),
    "csrf": Problem(
        en=(
            "Not from our page",
            "A cookie session needs the Origin of our own page and its X-CSRF-Token.",
        ),
        zh=("不是從我們的頁面送出", "以 cookie 登入時，須由本站頁面送出並附上 X-CSRF-Token。"),
    ),
    "not-found": Problem(
        en=("Not found", "There is nothing here for you."),
        zh=("找不到", "這裡沒有您可以看的內容。"),
    ),
    "method-not-allowed": Problem(
        status=405,
        en=("Method not allowed", "The header Allow lists what this address understands."),
        zh=("不支援此方法", "此位址支援的方法請見 Allow 標頭。"),
    ),
    "bad-request": Problem(
        status=400,
        en=("Bad request", "The request is not HTTP that can be answered."),
        zh=("請求有誤", "這個 HTTP 請求無法處理。"),
    ),
    "malformed-json": Problem(
        status=400,
        en=("Malformed JSON", "The body is not JSON in UTF-8, each name once, no NaN."),
        zh=("JSON 格式錯誤", "內容須為 UTF-8 的 JSON，名稱不可重複，也不可有 NaN。"),
    ),
    "unsupported-media-type": Problem(
        status=415,
        en=("Unsupported media type", "Send the body as application/json."),
        zh=("不支援的內容類型", "請以 application/json 傳送。"),
    ),
    "body-too-large": Problem(
        status=413,
        en=("Body too large", "This address reads at most {most} bytes."),
        zh=("內容過大", "此位址最多讀取 {most} 位元組。"),
    ),
    "address-too-long": Problem(
        status=414,
        en=("Address too long", "An address has at most {most} bytes."),
        zh=("網址過長", "網址最多 {most} 位元組。"),
    ),
    "headers-too-large": Problem(
        status=431,
        en=("Headers too large", "All headers together have at most {most} bytes."),
        zh=("標頭過大", "所有標頭合計最多 {most} 位元組。"),
    ),
    "validation": Problem(
        en=("Not valid", "Some fields are missing, unknown or wrong; see errors."),
        zh=("資料有誤", "有欄位缺漏、多餘或不正確，請看 errors。"),
    ),
    "range-too-wide": Problem(
        en=("Range too wide", "{asked} {unit} were asked for; one answer covers {most} at most."),
        zh=("範圍過大", "要求的範圍為 {asked} {unit}，一次最多 {most} {unit}。"),
        words={
            "unit": {
                "days": ("days", "天"),
                "months": ("months", "個月"),
                "lines": ("lines", "列"),
            }
        },
    ),
    "idempotency-key-missing": Problem(
        status=400,
        en=("Idempotency-Key missing", "Send an Idempotency-Key, so that a retry is safe."),
        zh=("缺少 Idempotency-Key", "請附上 Idempotency-Key，重送才安全。"),
    ),
    "idempotency-key-malformed": Problem(
        status=400,
        en=(
            "Idempotency-Key malformed",
            "Send one Idempotency-Key of 16 to 64 letters, digits, hyphens and underscores.",
        ),
        zh=("Idempotency-Key 格式錯誤", "請送一個 16 到 64 字的英數字、連字號或底線。"),
    ),
    "idempotency-key-reused": Problem(
        en=("Idempotency-Key reused", "This key came before with another request; take a new one."),
        zh=("Idempotency-Key 重複使用", "這個鍵已用於另一個請求，請換新的。"),
    ),
    "idempotency-in-flight": Problem(
        retry_after=1,
        en=("Still at work", "The first request with this key has not finished; ask again."),
        zh=("處理中", "同一個鍵的第一個請求尚未完成，請稍後再試。"),
    ),
    "unavailable": Problem(
        status=503,
        retry_after=2,
        en=("Unavailable", "Nothing happened; try again in a moment, with the same key."),
        zh=("暫時無法服務", "這次沒有任何變更；請稍後以同一個鍵重試。"),
    ),
    "internal-error": Problem(
        status=500,
        en=("Our fault", "Something of ours broke; tell us the request_id {request_id}."),
        zh=("系統錯誤", "是我們的錯；請告訴我們 request_id {request_id}。"),
    ),
}
