"""The words of which the simulated texts are made, by class. Words only: phrases.py puts them together.

Every commercial sentence here is plainly advertising and every other one plainly is not, so that a person
who reads a composed text has no doubt about its class. No sentence here asks for consent, and none contains
wording by which one could refuse, except in REFUSALS. `{…}` names a slot that phrases.py fills.
"""

from __future__ import annotations

from typing import Final

OTP_ACTS: Final = (
    "登录", "注册", "修改登录密码", "找回密码", "绑定手机号", "更换手机号", "身份验证",
    "设置支付密码", "解绑设备", "付款", "实名认证", "注销账号",
)  # fmt: skip
OTP_CORES: Final = (
    "您的{act}验证码是{code}",
    "验证码{code}，您正在{act}",
    "您正在{act}，验证码为{code}",
    "{code}（{act}验证码）",
    "短信验证码：{code}，用于{act}",
    "您本次{act}的动态验证码为{code}",
    "尊敬的用户，您正在{act}，短信校验码{code}",
)
OTP_ENDS: Final = (
    "，{min}分钟内有效，请勿泄露给他人。",
    "，请在{min}分钟内输入，切勿告知他人。",
    "，{min}分钟内有效。如非本人操作，请忽略本短信。",
    "。工作人员不会向您索要验证码，请勿转发。",
    "，有效期{min}分钟，请勿泄露。",
)
OTP_BRACKETED: Final = (
    "您的短信验证码为【{code}】",
    "您的{act}验证码为【{code}】",
)  # a code where one may look for a signature

SERVICE_OPENINGS: Final = ("", "您好，", "尊敬的客户，", "尊敬的用户，您好！")
SERVICE_CORES: Final = (
    "您的快递{parcel}已到达{place}，请凭取件码{pick}及时领取。",
    "您的包裹{parcel}已由快递员派送，请保持电话畅通。",
    "您的包裹{parcel}已签收，签收人：本人。",
    "您的订单{order}已发货，运单号{parcel}，请注意查收。",
    "您的订单{order}已支付成功，金额{price}元，我们将尽快为您发货。",
    "您的订单{order}退款{price}元已原路退回，预计1-3个工作日到账。",
    "您的订单{order}因库存不足已取消，款项将原路退回。",
    "您的售后申请已受理，受理编号{order}，客服将在24小时内与您联系。",
    "您尾号{tail}的账户于{date}{clock}支出人民币{price}元，余额{limit}元。",
    "您尾号{tail}的储蓄卡于{date}{clock}转入人民币{price}元，可用余额{limit}元。",
    "您尾号{tail}的信用卡本期账单{price}元，到期还款日{date}，请按时还款。",
    "您尾号{tail}的信用卡于{date}{clock}消费{price}元，如非本人操作请致电客服。",
    "您的账号于{date}{clock}在新设备登录，如非本人操作请及时修改密码。",
    "您的登录密码已于{date}{clock}修改成功，如非本人操作请联系客服。",
    "您本月已使用国内流量{gb}GB，剩余{gb}GB，详情请登录营业厅查询。",
    "您的话费余额为{price}元，为避免影响通信，请及时充值。",
    "您{date}的电费为{price}元，当前账户余额{limit}元。",
    "您本期燃气费{price}元，户号{order}，请于{date}前缴纳。",
    "您预约的{date}{clock}门诊挂号成功，请携带身份证提前20分钟到院取号。",
    "您的检查报告已出，请凭就诊卡到自助机打印或在线查询。",
    "您预订的{date}房间已确认，订单号{order}，入住请携带有效证件。",
    "您乘坐的{date}{clock}航班因天气原因延误，具体起飞时间请以机场通知为准。",
    "您的行程已安排司机接驾，车牌尾号{tail}，预计{min}分钟到达。",
    "您的车辆（尾号{tail}）于{date}{clock}驶出停车场，停车费{price}元已扣款成功。",
    "您报修的故障已派单，工单号{order}，维修人员将于{date}上门。",
    "小区将于{date}{clock}起停水检修，预计{min}小时恢复，请提前储水。",
    "您提交的资料已审核通过，受理编号{order}，请登录查看结果。",
    "您的发票已开具，发票号码{order}，请在账户中心查收。",
    "您的保单{order}续期保费将于{date}从尾号{tail}账户扣款，请确保余额充足。",
    "您的理赔申请{order}已结案，理赔款{price}元将于3个工作日内到账。",
)
SERVICE_ENDS: Final = ("", "感谢您的支持。", "祝您生活愉快。", "如有疑问请联系在线客服。")

RETAIL_OPENINGS: Final = (
    "双11狂欢开启！", "亲爱的会员，双11来啦！", "双11预售火热进行中，", "双11返场，最后一波！",
    "亲，您心仪的好物降价啦！", "会员专享福利：", "店铺周年庆，", "今晚8点，双11正式开抢！",
    "尊贵的会员，感恩回馈季，", "双11主会场限时加码，", "换季上新，", "百亿补贴来袭，",
)  # fmt: skip
RETAIL_OFFERS: Final = (
    "全场{fold}折起，满{full}减{cut}，上不封顶",
    "爆款低至{low}元包邮，限时秒杀",
    "新品第二件半价，前{many}名再送好礼",
    "{cut}元无门槛优惠券限量抢购",
    "满{full}减{cut}，叠加店铺券更优惠",
    "秋冬新款{fold}折，前{many}名下单送赠品",
    "定金{low}元抵{cut}元，付尾款享满{full}减{cut}",
    "大牌美妆买一送一，满{full}再减{cut}",
    "家电直降{cut}元，限时特惠",
    "零食大礼包{low}元秒杀，错过等一年",
    "羽绒服清仓特价{low}元起，全场包邮",
    "直播间整点抽免单，满{full}减{cut}",
    "整点抢{cut}元红包，爆款{fold}折秒杀",
    "母婴好物{fold}折封顶，领券再减{cut}",
)
RETAIL_CALLS: Final = (
    "，点击{link} 抢购", "，戳{link} 领券下单", "，立即抢购{link}", "，打开APP搜“双11”马上抢",
    "，进店即可领券，先到先得", "，优惠仅限{date}，赶紧下单吧", "，速来{link} 选购",
    "，手慢无，快来抢购吧！",
)  # fmt: skip

FINANCE_OPENINGS: Final = (
    "双11购物缺钱？", "专属福利：", "恭喜您获得专享借款资格，", "双11花钱不用愁，", "限时优惠：",
    "尊贵的客户，为您预留专属额度，", "手头紧？", "提额啦！", "理财节特惠，",
)  # fmt: skip
FINANCE_OFFERS: Final = (
    "您有{loan}元贷款额度待领取，年化利率低至{rate}%，随借随还",
    "最高可借{loan}元，免息{min}天，极速放款",
    "{cut}元借款免息券限时领取，借款{loan}元日息低至0.02%",
    "信用贷款最高{loan}元，无需抵押，当天放款",
    "现金分期{loan}元额度等您来领，利率{fold}折优惠",
    "申请信用卡最高{loan}元额度，办卡送好礼，首年免年费",
    "新客理财专享年化收益率{rate}%，{low}元起投，限量抢购",
    "消费贷最高{loan}元，{min}分钟到账，首借免息",
    "开通分期享{cut}元立减券，借款额度高至{loan}元",
    "您的借款额度可提升至{loan}元，限时利率低至{rate}%",
)
FINANCE_CALLS: Final = (
    "，点击{link} 立即领取", "，打开APP立即申请借款", "，马上申请{link}", "，戳{link} 一键借款",
    "，名额有限，速速申请贷款吧", "，优惠截至{date}，立即提现", "，快来申请额度{link}",
)  # fmt: skip

REFUSALS: Final = (
    " 回T退订", " 回TD退订", " 退订回T", " 退订回N", " 退订回TD", " 回复TD退订", " 拒收请回复R",
    " 退订回复TD", "，拒收请回复R", "，退订回T", " 回N退订", " 退订请回复TD",
)  # fmt: skip
SERVICE_REFUSALS: Final = (
    "回T退订",
    "拒收请回复R",
)  # real service texts carry them too; they make nothing marketing

TITLES: Final = ("服务提醒", "账单提醒", "到账通知", "温馨提示", "业务提醒")  # head titles that sign nothing

BRAND_FIRST: Final = (
    "云杉", "青禾", "山月", "海棠", "松果", "银杏", "白鹭", "蓝鲸", "星河", "晨曦", "暮雪", "春山", "秋水",
    "竹影", "荷塘", "橙光", "麦田", "稻香", "石榴", "枫林", "鹿鸣", "鹤舞", "燕归", "鲤跃", "驼铃", "雪原",
    "草木", "溪谷", "珊瑚", "琥珀", "翡翠", "朱砂", "墨韵", "丹青", "锦瑟", "霓裳", "羽衣", "扶桑", "若木",
    "望舒", "羲和", "长庚", "启明", "北辰", "南风", "东篱", "西窗", "听雨", "观澜", "凌霄", "忍冬", "半夏",
    "紫苏", "连翘", "杜若", "蒹葭", "芙蕖", "木槿", "辛夷", "豆蔻",
)  # fmt: skip
BRAND_MIDDLE: Final = tuple("源泰祥和顺安宁康乐福嘉瑞恒永盛昌隆兴旺达通汇聚合同信诚义德仁智勇美丽华光辉")
BRAND_LAST: Final = {
    "retail": ("优选", "旗舰店", "商城", "良品", "生活馆", "服饰", "美妆", "家居"),
    "finance": ("消费金融", "银行", "小贷", "钱包", "财富"),
    "platform": ("购物网", "严选网", "电商", "易购", "团购"),
    "life": ("快递", "物业", "出行", "燃气", "医院", "驿站", "通信", "航空"),
}
