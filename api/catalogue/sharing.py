"""Problems of plans that are shared, or were paid for before."""

from api.problems import Problem

PROBLEMS = {
    "nothing-prepaid": Problem(
        en=("Nothing prepaid", "You hold no prepaid period of this plan that can be used now."),
        zh=("沒有可用的預付期數", "您沒有此方案可用的預付期數。"),
    ),
    "plan-not-shared": Problem(
        en=("For one only", "This plan is for one member."),
        zh=("方案不可共享", "此方案僅供一位會員使用。"),
    ),
    "no-place-left": Problem(
        en=("No place left", "All places of this plan are taken or offered: {places}."),
        zh=("名額已滿", "此方案可共享 {places} 人，名額已滿或已發出邀請。"),
    ),
    "invitation-limit": Problem(
        en=("Too many invitations", "At most {most} invitations to one plan are made in a day."),
        zh=("邀請次數過多", "每個方案一天最多可發出 {most} 份邀請。"),
    ),
    "invitation-over": Problem(
        en=("Not to be had", "This place was taken or taken back, or its time is over."),
        zh=("邀請已失效", "此邀請已被使用、收回或逾期。"),
    ),
    "own-plan": Problem(
        en=("Your own plan", "This is your plan: its cups are in your wallet."),
        zh=("這是您的方案", "這是您自己的方案，杯數已在您的錢包。"),
    ),
    "already-sharing": Problem(
        en=("In it already", "You have a place in this plan."),
        zh=("已加入", "您已加入此方案。"),
    ),
}
