r"""The table of words that say the same or exclude each other.

One line holds what says the same; it goes on after a semicolon. Two lines of one paragraph exclude each other; of
different paragraphs nothing is known.
"""

SAME = """
yes; true; oui; vrai; sí; verdadero; sim; ja; wahr; да; верно; はい; 예; 네;
是; 是的; 对; 对的; 正确; 真; 真命题
no; false; not true; non; faux; falso; não; nein; falsch; нет; неверно; いいえ; 아니오; 아니요;
否; 不是; 不对; 错; 错误; 不正确; 假; 假命题

no solution; no solutions; none; empty set; there is no solution; there are no solutions; has no solution;
\\emptyset; \\varnothing; \\{\\}; ∅; 无解; 空集
all real numbers; all reals; every real number; any real number; set of all real numbers; set of real numbers;
\\mathbb{R}; \\mathbf{R}; (-\\infty,\\infty); (-\\infty,+\\infty); x\\in\\mathbb{R};
全体实数; 任意实数; 一切实数; 所有实数
infinitely many; infinitely many solutions; \\infty;
has infinitely many solutions; infinite number of solutions; infinite solutions; 无数个; 无穷多个; 无穷多解

does not exist; doesn't exist; dne; limit does not exist; not exist; 不存在
exists; exist; 存在

undefined; not defined; is not defined; 无意义; 没有意义; 无定义
defined; is defined; 有意义

convergent; converges; converge; is convergent; 收敛; 收敛的
divergent; diverges; diverge; is divergent; not convergent; does not converge; 发散; 发散的

absolutely convergent; converges absolutely; absolute convergence; 绝对收敛
conditionally convergent; converges conditionally; conditional convergence; 条件收敛

even; even function; even number; even numbers; even integers; even n; n even; is even;
all even n; all even integers; all even numbers; 偶; 偶函数; 偶数
odd; odd function; odd number; odd numbers; odd integers; odd n; n odd; is odd;
all odd n; all odd integers; all odd numbers; 奇; 奇函数; 奇数
neither; neither even nor odd; neither odd nor even; 非奇非偶; 非奇非偶函数; 既不是奇函数也不是偶函数

increasing; is increasing; increasing function; 增函数; 递增; 单调递增
decreasing; is decreasing; decreasing function; 减函数; 递减; 单调递减

rational; rational number; is rational; 有理数
irrational; irrational number; is irrational; not rational; 无理数

positive; is positive; 正; 正数
negative; is negative; 负; 负数

continuous; is continuous; 连续
discontinuous; not continuous; is not continuous; 不连续

possible; is possible; 可能
impossible; not possible; is impossible; 不可能

finite; is finite; 有限
infinite; is infinite; not finite; 无限

all primes; all prime numbers; every prime; any prime; primes; prime numbers

sufficient but not necessary; sufficient but not necessary condition; 充分不必要; 充分不必要条件; 充分而不必要条件
necessary but not sufficient; necessary but not sufficient condition; 必要不充分; 必要不充分条件; 必要而不充分条件
necessary and sufficient; necessary and sufficient condition; 充要; 充要条件; 充分必要条件
neither sufficient nor necessary; neither necessary nor sufficient; 既不充分也不必要; 既不充分也不必要条件

first quadrant; quadrant i; 第一象限; 一
second quadrant; quadrant ii; 第二象限; 二
third quadrant; quadrant iii; 第三象限; 三
fourth quadrant; quadrant iv; 第四象限; 四

prime; prime number; is prime; 质数; 素数
composite; composite number; is composite; not prime; 合数

dependent; linearly dependent; 线性相关
independent; linearly independent; not dependent; 线性无关

consistent; is consistent
inconsistent; is inconsistent; not consistent

linear; is linear
nonlinear; non-linear; not linear

parallel; are parallel; 平行
perpendicular; are perpendicular; orthogonal; 垂直

equilateral; equilateral triangle; 等边三角形
isosceles; isosceles triangle; 等腰三角形
scalene; scalene triangle

acute; acute triangle; 锐角三角形; 锐角
right; right triangle; right-angled; right-angled triangle; 直角三角形; 直角
obtuse; obtuse triangle; 钝角三角形; 钝角

maximum; max; 最大值
minimum; min; 最小值

always; 总是
sometimes; 有时
never; 从不

clockwise; 顺时针
counterclockwise; counter-clockwise; anticlockwise; 逆时针

upward; upwards; up; 向上
downward; downwards; down; 向下

to the left; left; leftward; 向左
to the right; rightward; 向右

increase; increased; gain; profit; 增加; 盈利
decrease; decreased; loss; 减少; 亏损

above
below

before
after

early; earlier
late; later

longer; taller
shorter

older
younger

ago
from now

heads
tails

north; 北
south; 南
east; 东
west; 西

monday; mon; 星期一; 周一
tuesday; tue; tues; 星期二; 周二
wednesday; wed; 星期三; 周三
thursday; thu; thur; thurs; 星期四; 周四
friday; fri; 星期五; 周五
saturday; sat; 星期六; 周六
sunday; sun; 星期日; 星期天; 周日

january; jan; 一月
february; feb; 二月
march; mar; 三月
april; apr; 四月
may; 五月
june; jun; 六月
july; jul; 七月
august; aug; 八月
september; sep; sept; 九月
october; oct; 十月
november; nov; 十一月
december; dec; 十二月

red; 红; 红色
blue; 蓝; 蓝色
green; 绿; 绿色
yellow; 黄; 黄色
black; 黑; 黑色
white; 白; 白色
purple; 紫; 紫色
brown; 棕; 棕色
pink; 粉; 粉色

甲
乙
丙
丁
"""
