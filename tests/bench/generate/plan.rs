//! Who does what in a cell, and in which state it is: decided first, so that the files can
//! agree with each other.

use super::Recipe;
use super::dice::Dice;

/// 2025-01-01, so that every time in a root has passed.
const FIRST_DAY: i64 = 1_735_689_600;
const DAY: usize = 86_400;
const WORDS: [&str; 8] = [
    "coding",
    "testing",
    "review",
    "planning",
    "coordination",
    "deploy",
    "docs",
    "security",
];

/// One cell.
pub struct Plan {
    pub index: usize,
    pub id: String,
    pub status: &'static str,
    pub level: &'static str,
    pub auto_revive: &'static str,
    pub created: i64,
    /// What every agent that works can do, so that any of them can stand in for another.
    pub capabilities: Vec<&'static str>,
    pub agents: Vec<Agent>,
    pub tasks: Vec<Task>,
}

pub struct Agent {
    pub id: String,
    pub role: &'static str,
    pub status: &'static str,
    /// The task in progress, if any.
    pub current: Option<usize>,
    pub has_checkpoint: bool,
}

pub struct Task {
    pub id: String,
    /// The agent it is assigned to.
    pub agent: usize,
    pub status: &'static str,
    pub created: i64,
    pub completed: Option<i64>,
    pub dependencies: Vec<usize>,
}

impl Agent {
    /// Only these roles can be granted anything but reading.
    pub fn works(&self) -> bool {
        matches!(self.role, "lead" | "write")
    }
}

impl Plan {
    /// Draws a cell. One that is to get a fault is active, and its last two tasks are pending,
    /// so that the fault stands alone.
    pub fn drawn(dice: &mut Dice, index: usize, recipe: &Recipe, faulty: bool) -> Self {
        let size = &recipe.size;
        let status = dice.pick(&[
            "active",
            "active",
            "active",
            "paused",
            "completed",
            "failed",
        ]);
        let mut plan = Self {
            index,
            id: uuid(dice),
            status: if faulty || recipe.active {
                "active"
            } else {
                status
            },
            level: dice.pick(&["none", "level_1", "level_2", "level_3"]),
            auto_revive: dice.pick(&["yes", "no", "ask"]),
            created: FIRST_DAY + dice.seconds(60 * DAY),
            capabilities: dice.sample(&WORDS, 3),
            agents: Vec::new(),
            tasks: Vec::new(),
        };
        for number in 0..size.agents {
            let mut agent = plan.agent(dice, number, digits(size.agents));
            if recipe.active {
                agent.status = "idle";
            }
            plan.agents.push(agent);
        }
        let still = if faulty {
            size.tasks.saturating_sub(2)
        } else {
            size.tasks
        };
        for number in 0..size.tasks {
            let task = plan.task(dice, number, digits(size.tasks), number < still);
            if task.status == "in_progress" {
                plan.agents[task.agent].status = "active";
                plan.agents[task.agent].current = Some(number);
            }
            plan.tasks.push(task);
        }
        plan
    }

    /// The agents that may be handed work, by number.
    pub fn workers(&self) -> Vec<usize> {
        (0..self.agents.len())
            .filter(|number| self.agents[*number].works())
            .collect()
    }

    /// Those of them that stand in for one that fails.
    pub fn substitutes(&self) -> Vec<usize> {
        self.workers().into_iter().skip(1).take(2).collect()
    }

    fn agent(&self, dice: &mut Dice, number: usize, digits: usize) -> Agent {
        let any = dice.pick(&["write", "write", "read", "audit"]);
        let resting = if self.status == "active" {
            ["idle", "paused", "failed"]
        } else {
            ["idle"; 3]
        };
        Agent {
            id: format!("agent_{:0digits$}", number + 1),
            role: match number {
                0 => "lead",
                1 | 2 => "write",
                _ => any,
            },
            // Those who stand in for others are there.
            status: match dice.below(16) {
                15 if number > 2 => resting[2],
                14 if number > 2 => resting[1],
                _ => resting[0],
            },
            current: None,
            has_checkpoint: dice.chance(0.3),
        }
    }

    fn task(&self, dice: &mut Dice, number: usize, digits: usize, may_move: bool) -> Task {
        let agent = dice.pick(&self.workers());
        let near: Vec<usize> = (number.saturating_sub(12)..number).collect();
        let count = dice.pick(&[0, 1, 1, 2, 3]);
        let dependencies = dice.sample(&near, count);
        let created = self.created + 60 + 97 * number as i64 + dice.seconds(60);
        let ended: Option<Vec<i64>> = dependencies
            .iter()
            .map(|before| self.tasks[*before].completed)
            .collect();
        let wish = dice.pick(&[
            "completed",
            "completed",
            "completed",
            "in_progress",
            "failed",
            "pending",
        ]);
        let free = self.agents[agent].status == "idle";
        let taken = dice.seconds(1740) + 60;
        let status = match (self.status, wish) {
            ("completed", _) if may_move => "completed",
            // A mission that failed has nobody at work any more.
            ("failed", "in_progress") => "pending",
            (_, "in_progress") if !free => "pending",
            _ if !may_move || ended.is_none() => "pending",
            (_, wish) => wish,
        };
        let start = ended
            .into_iter()
            .flatten()
            .max()
            .unwrap_or(created)
            .max(created);
        Task {
            id: format!("task_{:0digits$}", number + 1),
            agent,
            status,
            created,
            completed: (status == "completed").then_some(start + taken),
            dependencies,
        }
    }
}

/// Three digits, or as many as the highest number has.
fn digits(highest: usize) -> usize {
    highest.to_string().len().max(3)
}

fn uuid(dice: &mut Dice) -> String {
    let bytes = u128::from(dice.next()) << 64 | u128::from(dice.next());
    uuid::Builder::from_random_bytes(bytes.to_be_bytes())
        .into_uuid()
        .to_string()
}
