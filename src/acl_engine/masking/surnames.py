"""Surnames by frequency: what a shown surname narrows a name down to.

Source of the shares: the 2020 national name report of the Ministry of Public Security gives the
order; the shares in 1/100,000 of the population are those of the 2006 survey of the Chinese
Academy of Sciences, rounded. They are estimates, good to a tenth of themselves.
"""

# One line per band, most frequent first; the number is the share of each, in 1/100,000.
_BANDS: tuple[tuple[int, str], ...] = (
    (7250, "王"),
    (7190, "李"),
    (6830, "张"),
    (5380, "刘"),
    (4530, "陈"),
    (3080, "杨"),
    (2290, "赵"),
    (2230, "黄"),
    (2120, "周"),
    (2050, "吴"),
    (1680, "徐"),
    (1540, "孙"),
    (1310, "胡"),
    (1260, "朱"),
    (1210, "高"),
    (1180, "林"),
    (1170, "何"),
    (1150, "郭"),
    (1050, "马"),
    (860, "罗"),
    (750, "梁宋郑谢韩唐"),
    (650, "冯于董萧程曹袁邓许傅"),
    (560, "沈曾彭吕苏卢蒋蔡贾丁"),
    (460, "魏薛叶阎余潘杜戴夏钟"),
    (380, "汪田任姜范方石姚谭廖"),
    (320, "邹熊金陆郝孔白崔康毛"),
    (260, "邱秦江史顾侯邵孟龙万"),
    (220, "段漕钱汤尹黎易常武乔"),
    (170, "贺赖龚文庞樊兰殷施陶"),
    (120, "洪翟安颜倪严牛温芦季"),
    (80, "俞章鲁葛伍韦申尤毕聂"),
    (60, "丛焦向柳邢路岳齐梅莫"),
    (45, "庄辛管祝左涂谷祁时舒"),
    (35, "耿牟卜詹关苗凌费纪靳"),
    (25, "盛童欧甄项曲成游阳裴"),
    (20, "席卫查屈鲍位覃霍翁隋"),
    (15, "植甘景薄单包司柏宁柯"),
    (
        5,
        "阮桂闵解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫来嵺苟全褚廉简娄盖符奚木穆党"
        "燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟宇敖糜鄢冷卓花仇艾蓝都巩稽井练仲乐虞卞封竺冼原"
        "官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙薄伏岑习胥保和蔺水云昌凤酆皮卡湛贝禹狄臧成戴茅经"
        "干缪支昝裘贲邓杭诸钮嵇滑荣荀羊於惠家芮羿储汲松富乌焦巴弓牧隗山宓蓬郗班仰秋伊暴钭历戎祖"
        "束幸韶印宿怀蒲鄂索咸籍赖能苍双闻莘逄寿通尚农别阎充慕茹宦鱼容慎戈庾终暨居衡步耿弘国寇广禄"
        "阙东殴利蔚越夔隆师厍聂晁勾融訾阚那空毋沙乜养须丰巢蒯相竹权逯操后红闫肖麦佘粟占晏漆危邝亓檀冶母原但买哈初鹿代展麻海敬普盘区欧候付雷尧宛隆阳",
    ),
)

COMPOUND: frozenset[str] = frozenset(
    "欧阳 上官 司马 诸葛 夏侯 皇甫 尉迟 公孙 轩辕 令狐 宇文 长孙 慕容 司徒 司空 东方 独孤 南宫 "
    "西门 端木 百里 呼延 东郭 申屠 公羊 澹台 濮阳 淳于 单于 太叔 钟离 闻人 赫连 万俟 拓跋 完颜 "
    "耶律 纳兰 鲜于 闾丘 亓官 司寇 仲孙 第五 公冶 宗政 巫马 漆雕 壤驷 梁丘 左丘 东门 南门".split()
)
_COMPOUND_SHARE = 3  # all but 欧阳 (about 1.1 million people) are rarer

# `闫` and `肖` are the common writings of two of the first fifty today.
SHARE: dict[str, int] = {c: share for share, band in reversed(_BANDS) for c in band}
SHARE |= {"闫": 200, "肖": 560, "付": 200, "雷": 260, "代": 80, "欧阳": 80}
SHARE |= {name: _COMPOUND_SHARE for name in COMPOUND if name not in SHARE}

SINGLE: frozenset[str] = frozenset(name for name in SHARE if len(name) == 1)
